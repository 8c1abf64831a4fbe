import assert from "node:assert/strict";
import { test } from "node:test";
import { findCommands } from "./findCommand.ts";
import { HostError } from "./HostError.ts";

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof HostError) return error.code;
    throw error;
  }
  return undefined;
}

test("findCommands() finds commands of this system, links followed", () => {
  const [ls, awk] = findCommands(["ls", "awk"], "a");
  assert.equal(ls?.name, "ls");
  assert.equal(awk?.name, "awk");
  // awk is a link to an alternative on Debian; the file itself is what gets bound.
  assert.ok(!awk?.path.includes("alternatives"));
});

test("findCommands() refuses a command that isn't there", () => {
  assert.equal(
    codeOf(() => findCommands(["no-such-command"], "a")),
    "no-command",
  );
});

test("findCommands() never leaves the system's folders", () => {
  for (const name of ["../../etc/passwd", "bin/../ls", ".."]) {
    assert.equal(
      codeOf(() => findCommands([name], "a")),
      "no-command",
      name,
    );
  }
});

test("findCommands() refuses a script whose interpreter isn't granted", () => {
  // ldd is a script for bash on every glibc system.
  assert.equal(
    codeOf(() => findCommands(["ldd"], "a")),
    "script-without-interpreter",
  );
  assert.equal(
    codeOf(() => findCommands(["ldd", "bash"], "a")),
    undefined,
  );
});
