import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { descriptors } from "./adversaries/peakMemory.ts";
import { allCases, runAll } from "./adversaries/runAll.ts";
import type { Result } from "./adversaries/runCase.ts";
import type { Target } from "./adversaries/Target.ts";
import { startSeawall } from "./adversaries/targets/seawall.ts";

/**
 * Every case of test/adversaries against the real broker. Each one has a plain request behind it that
 * must still work, and the groups have controls that must be served.
 */
describe("adversaries at the broker", () => {
  const cases = allCases();
  let target: Target;
  let results: ReadonlyMap<string, Promise<Result>>;
  let opened = 0;

  before(async () => {
    target = await startSeawall();
    opened = descriptors(target.pid ?? 0);
    results = runAll(target, cases);
  });
  after(() => target.close());

  for (const { name, case: each } of cases) {
    test(`${name}: ${each.what}`, async (context) => {
      const result = await results.get(name);
      if (result?.verdict === "not-applicable")
        context.skip(`not applicable: ${result.why.join("; ")}`);
      else assert.deepEqual(result?.why, []);
    });
  }

  test("no case is left out for a feature that the broker has", () => {
    const lacked = (["h2", "websocket"] as const).filter((each) => !target.features.has(each));
    assert.deepEqual(lacked, []);
  });

  test("afterwards the broker has no more descriptors than before", async () => {
    await Promise.all(results.values());
    for (const { upstream } of target.lanes) upstream.cut();
    // Connections that are kept alive, and sockets that say goodbye, take their time.
    for (let look = 0; look < 100 && descriptors(target.pid ?? 0) > opened + 4; look += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(descriptors(target.pid ?? 0) <= opened + 4);
  });

  test("nothing it wrote holds a secret or a phantom", async () => {
    await Promise.all(results.values());
    const all = target.written?.() ?? "";
    assert.ok(all.length > 0);
    for (const { words } of target.lanes)
      for (const name of ["secret", "phantom", "other-phantom", "foreign-phantom"])
        assert.ok(!all.includes((words[name] ?? "-").slice(-20)), name);
  });
});
