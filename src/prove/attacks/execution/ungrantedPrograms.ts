import type { Attack } from "../../Attack.ts";
import { execute } from "../../inside/execute.ts";
import { tryEach } from "../../inside/findings.ts";

export const ungrantedPrograms: Attack = {
  name: "ungranted-programs",
  group: "execution",
  tries: "run interpreters, compilers and network tools that weren't granted",
  run: ({ field }) => tryEach(field.ungranted, (path) => execute(path, ["--version"])),
};
