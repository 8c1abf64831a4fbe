import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { findCommands } from "./findCommand.ts";
import { isManyInOne, whatItAmountsTo, WIDE_PROGRAMS } from "./grantedPrograms.ts";
import { warningsFor } from "./warnings.ts";
import type { Generation } from "./Generation.ts";

test("whatItAmountsTo() names interpreters and what runs other commands, and nothing plain", () => {
  for (const name of "bash sh node python3 python3.11 busybox find git ssh tar vim awk xargs".split(
    " ",
  ))
    assert.ok(whatItAmountsTo(name, name), name);
  for (const name of "ls cat grep head wc sort date google-api".split(" "))
    assert.equal(whatItAmountsTo(name, name), undefined, name);
  // By the file as well: awk is mawk on Debian.
  assert.ok(whatItAmountsTo("mine", "python3.11"));
  for (const { amounts } of WIDE_PROGRAMS) assert.match(amounts, /^[a-z].*[^.]$/u);
});

test("isManyInOne() sees a multi-call program under another name", () => {
  assert.ok(isManyInOne("ls", "busybox"));
  assert.ok(isManyInOne("ls", "coreutils"));
  assert.ok(!isManyInOne("busybox", "busybox"));
  assert.ok(!isManyInOne("awk", "mawk"));
});

test(
  "findCommands() gives busybox to whoever asks for it by name",
  {
    skip: ["/bin/busybox", "/usr/bin/busybox"].some((path) => existsSync(path))
      ? false
      : "busybox is missing",
  },
  () => {
    assert.equal(findCommands(["busybox"], "a")[0]?.name, "busybox");
  },
);

test("warningsFor() warns of little memory, few processes and wide programs, by bot", () => {
  const bot = (name: string, resources: object) => ({ name, resources });
  const generation = {
    plan: {
      bots: [bot("a", { memory: 1024 ** 3, processes: 20 }), bot("b", { memory: 2 * 1024 ** 3 })],
    },
    bots: {
      a: { commands: [] },
      b: {
        commands: [
          { name: "ls", path: "/usr/bin/ls" },
          { name: "bash", path: "/usr/bin/bash" },
        ],
      },
    },
  } as unknown as Pick<Generation, "plan" | "bots">;
  const found = warningsFor(generation);
  assert.deepEqual(
    found.map(({ bot: name }) => name),
    ["a", "a", "b"],
  );
  assert.match(found[2]?.warning ?? "", /granting "bash" lets bot "b" run any program/u);
});
