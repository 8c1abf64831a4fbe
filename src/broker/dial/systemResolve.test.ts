import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { test } from "node:test";
import { systemResolve } from "./systemResolve.ts";

/** Lookups that the test answers, each name counted. */
function answering(): {
  readonly asked: string[];
  readonly look: (name: string) => Promise<LookupAddress[]>;
  readonly answer: (name: string, address?: string) => Promise<void>;
} {
  const asked: string[] = [];
  const open = new Map<string, PromiseWithResolvers<LookupAddress[]>>();
  return {
    asked,
    look: (name) => {
      asked.push(name);
      const settler = Promise.withResolvers<LookupAddress[]>();
      open.set(name, settler);
      return settler.promise;
    },
    answer: async (name, address) => {
      if (address === undefined) open.get(name)?.reject(new Error("no such name"));
      else open.get(name)?.resolve([{ address, family: 4 }]);
      await new Promise((done) => setImmediate(done));
    },
  };
}

test("systemResolve() asks once for whoever asks at the same time, and again afterwards", async () => {
  const { asked, look, answer } = answering();
  const resolve = systemResolve(look);
  const both = Promise.all([resolve("a.test"), resolve("a.test")]);
  await answer("a.test", "1.1.1.1");
  assert.deepEqual(await both, [
    [{ address: "1.1.1.1", family: 4 }],
    [{ address: "1.1.1.1", family: 4 }],
  ]);
  assert.deepEqual(asked, ["a.test"]);
  const again = resolve("a.test");
  assert.deepEqual(asked, ["a.test", "a.test"]);
  await Promise.all([answer("a.test"), assert.rejects(again, { message: "no such name" })]);
});

test("systemResolve() leaves a thread to others and forgets nobody who waits", async () => {
  const { asked, look, answer } = answering();
  const resolve = systemResolve(look);
  const all = ["a", "b", "c", "d", "e"].map((name) => resolve(name));
  assert.deepEqual(asked, ["a", "b", "c"]);
  await Promise.all([answer("b"), assert.rejects(all[1] ?? Promise.resolve())]);
  assert.deepEqual(asked, ["a", "b", "c", "d"]);
  for (const name of ["a", "c", "d", "e"]) await answer(name, "1.1.1.1");
  assert.deepEqual(asked, ["a", "b", "c", "d", "e"]);
  assert.equal((await Promise.all(all.filter((_, at) => at !== 1))).length, 4);
  const more = ["f", "g", "h"].map((name) => resolve(name));
  assert.deepEqual(asked.slice(5), ["f", "g", "h"]);
  for (const name of ["f", "g", "h"]) await answer(name, "1.1.1.1");
  await Promise.all(more);
});

test("systemResolve() knows this machine", async () => {
  const found = await systemResolve()("localhost");
  assert.ok(found.some(({ address }) => address === "127.0.0.1" || address === "::1"));
});
