import { existsSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { executeOwn } from "../../inside/execute.ts";
import { tryEach } from "../../inside/findings.ts";

export const ownProgram: Attack = {
  name: "own-program",
  group: "execution",
  tries: "write a program into every writable folder and run it",
  run: (attacker) =>
    tryEach(
      [attacker.field.home, "/tmp", "/dev/shm", "/var/tmp"].filter((path) => existsSync(path)),
      (folder) => executeOwn(attacker, folder),
    ),
};
