import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { fuzzers } from "./fuzz/fuzzers/index.ts";
import { kept, runFuzzer, tryOn } from "./fuzz/runFuzzer.ts";

const MILLISECONDS = 1000;

for (const fuzzer of fuzzers) {
  test(`${fuzzer.name}: what was found once stays mended`, async () => {
    for (const { file, bytes } of kept(fuzzer))
      assert.equal(await tryOn(fuzzer, bytes), undefined, file);
  });

  test(`${fuzzer.name}: ${fuzzer.what}`, async () => {
    const seed = randomInt(2 ** 31);
    const { finding, runs } = await runFuzzer(fuzzer, seed, MILLISECONDS);
    assert.equal(finding?.error, undefined, `seed ${seed}, kept as ${finding?.file ?? ""}`);
    assert.ok(runs > 0);
  });
}
