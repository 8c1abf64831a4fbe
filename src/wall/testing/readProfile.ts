import assert from "node:assert/strict";

/** An expression of a Seatbelt profile: a word or string as it is written, or a list. */
export type Expression = string | readonly Expression[];

/** A reader of the profile's language that knows nothing of how it was written. */
export function readProfile(text: string): readonly Expression[] {
  const tokens = text.replaceAll(/^;.*$/gmu, "").match(/\(|\)|"(?:\\.|[^"\\])*"|[^\s()"]+/gu);
  const stack: Expression[][] = [[]];
  for (const token of tokens ?? [])
    if (token === "(") stack.push([]);
    else if (token === ")") {
      const done = stack.pop() ?? [];
      stack.at(-1)?.push(done);
    } else stack.at(-1)?.push(token);
  assert.equal(stack.length, 1, "unbalanced");
  return stack[0] ?? [];
}
