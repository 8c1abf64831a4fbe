import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SecretValue } from "../../secrets/index.ts";
import { Redactors } from "./Redactors.ts";

const PHANTOM = "sk-phantom-0123456789";
const grant = { phantom: PHANTOM };
const credential = (value: string) => ({ secret: new SecretValue(value), others: [] });
const text = (redactors: Redactors, value: string, said: string): string =>
  redactors.get(credential(value), grant).text(said);
const HOUR = 60 * 60_000;

describe("a secret that got another value", () => {
  test("is looked for by both, and by the new one alone after an hour", () => {
    let now = 1;
    const redactors = new Redactors(undefined, () => now);
    const first = redactors.get(credential("first-value-1"), grant);
    assert.equal(redactors.get(credential("first-value-1"), grant), first);
    assert.ok(redactors.isCurrent(PHANTOM, first));
    const both = "first-value-1 second-value-2";
    assert.equal(text(redactors, "second-value-2", both), `${PHANTOM} ${PHANTOM}`);
    const second = redactors.get(credential("second-value-2"), grant);
    assert.ok(redactors.isCurrent(PHANTOM, second) && !redactors.isCurrent(PHANTOM, first));
    now += HOUR - 1;
    assert.equal(text(redactors, "second-value-2", both), `${PHANTOM} ${PHANTOM}`);
    now += 1;
    assert.ok(!redactors.isCurrent(PHANTOM, second));
    assert.equal(text(redactors, "second-value-2", both), `first-value-1 ${PHANTOM}`);
  });

  test("and back again has each once; of many the latest three are looked for", () => {
    const redactors = new Redactors();
    const values = ["value-number-1", "value-number-2", "value-number-1", "value-number-2"];
    for (const value of values) text(redactors, value, "");
    assert.equal(
      text(redactors, "value-number-2", values.join(" ")),
      Array(4).fill(PHANTOM).join(" "),
    );
    for (let turn = 3; turn < 8; turn += 1) text(redactors, `value-number-${turn}`, "");
    const all = [1, 2, 3, 4, 5, 6, 7].map((turn) => `value-number-${turn}`);
    assert.equal(
      text(redactors, "value-number-7", all.join(" ")),
      [...all.slice(0, 3), ...Array<string>(4).fill(PHANTOM)].join(" "),
    );
  });

  test("is looked for after another configuration too, and after the one that follows", () => {
    const one = new Redactors();
    text(one, "first-value-1", "");
    const two = new Redactors(one);
    assert.equal(text(two, "second-value-2", "first-value-1"), PHANTOM);
    // One in which the grant wasn't used.
    const three = new Redactors(new Redactors(two));
    assert.equal(
      text(three, "third-value-3", "first-value-1 second-value-2"),
      `${PHANTOM} ${PHANTOM}`,
    );
  });

  test("is found in a message that goes out", () => {
    const redactors = new Redactors();
    text(redactors, "first-value-1", "");
    text(redactors, "second-value-2", "");
    assert.ok(redactors.anyIn(Buffer.from("see first-value-1")));
    assert.ok(!redactors.anyIn(Buffer.from("see nothing")));
  });
});
