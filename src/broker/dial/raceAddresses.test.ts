import assert from "node:assert/strict";
import { test } from "node:test";
import { interleave, raceAddresses } from "./raceAddresses.ts";

test("interleave() lets the families take turns, the first address's first, each in its order", () => {
  assert.deepEqual(interleave(["::1", "::2", "::3", "1.1.1.1"]), ["::1", "1.1.1.1", "::2", "::3"]);
  assert.deepEqual(interleave(["1.1.1.1", "1.1.1.2", "::1"]), ["1.1.1.1", "::1", "1.1.1.2"]);
  assert.deepEqual(interleave(["1.1.1.1"]), ["1.1.1.1"]);
  assert.deepEqual(interleave([]), []);
});

class Won {
  readonly address: string;
  destroyed = false;
  constructor(address: string) {
    this.address = address;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

/** Attempts that the test settles. */
class Attempts {
  readonly begun: string[] = [];
  readonly stopped: string[] = [];
  readonly #settlers = new Map<string, PromiseWithResolvers<Won>>();

  readonly start = (address: string, signal: AbortSignal): Promise<Won> => {
    const settler = Promise.withResolvers<Won>();
    this.begun.push(address);
    this.#settlers.set(address, settler);
    signal.addEventListener("abort", () => {
      this.stopped.push(address);
      settler.reject(new Error("stopped"));
    });
    return settler.promise;
  };

  win(address: string): Won {
    const won = new Won(address);
    this.#settlers.get(address)?.resolve(won);
    return won;
  }

  async lose(address: string): Promise<void> {
    this.#settlers.get(address)?.reject(new Error(`lost ${address}`));
    await new Promise((done) => setImmediate(done));
  }
}

const LONG = 2 ** 30;

test("raceAddresses() tries one address at a time as long as each fails at once", async () => {
  const attempts = new Attempts();
  const race = raceAddresses(["a", "b", "c"], LONG, new AbortController().signal, attempts.start);
  assert.deepEqual(attempts.begun, ["a"]);
  await attempts.lose("a");
  assert.deepEqual(attempts.begun, ["a", "b"]);
  attempts.win("b");
  assert.equal((await race).address, "b");
  assert.deepEqual(attempts.begun, ["a", "b"]);
  assert.deepEqual(attempts.stopped, []);
});

test("raceAddresses() goes on waiting for a slow address and stops the others when it wins", async () => {
  const attempts = new Attempts();
  const race = raceAddresses(["a", "b", "c"], 1, new AbortController().signal, attempts.start);
  while (attempts.begun.length < 3) await new Promise((done) => setImmediate(done));
  attempts.win("a");
  assert.equal((await race).address, "a");
  assert.deepEqual(attempts.stopped, ["b", "c"]);
});

test("raceAddresses() closes a second winner", async () => {
  const attempts = new Attempts();
  const deaf = (address: string): Promise<Won> =>
    attempts.start(address, new AbortController().signal);
  const race = raceAddresses(["a", "b"], 1, new AbortController().signal, deaf);
  while (attempts.begun.length < 2) await new Promise((done) => setImmediate(done));
  const [one, two] = [attempts.win("a"), attempts.win("b")];
  assert.equal(await race, one);
  await new Promise((done) => setImmediate(done));
  assert.equal(one.destroyed, false);
  assert.equal(two.destroyed, true);
});

test("raceAddresses() fails with the first error once all have failed", async () => {
  const attempts = new Attempts();
  const race = raceAddresses(["a", "b"], LONG, new AbortController().signal, attempts.start);
  await attempts.lose("a");
  await Promise.all([attempts.lose("b"), assert.rejects(race, { message: "lost a" })]);
  await assert.rejects(raceAddresses([], LONG, new AbortController().signal, attempts.start), {
    message: "no address",
  });
});

test("raceAddresses() stops everything when it is told to, and starts nothing afterwards", async () => {
  const attempts = new Attempts();
  const over = new AbortController();
  const race = raceAddresses(["a", "b", "c"], 1, over.signal, attempts.start);
  while (attempts.begun.length < 2) await new Promise((done) => setImmediate(done));
  over.abort(new Error("enough"));
  await assert.rejects(race, { message: "enough" });
  const { begun, stopped } = attempts;
  assert.deepEqual(stopped, begun);
  const count = begun.length;
  await new Promise((done) => setTimeout(done, 5));
  assert.equal(begun.length, count);
  await assert.rejects(
    raceAddresses(["d"], 1, AbortSignal.abort(new Error("before")), attempts.start),
    { message: "before" },
  );
  assert.ok(!begun.includes("d"));
});
