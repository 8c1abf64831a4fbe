import type { Attack } from "../../Attack.ts";
import { EXIT_STATUS, program } from "../../inside/elf.ts";
import { layerOf } from "../../inside/attempt.ts";
import { held, through, tryEach } from "../../inside/findings.ts";
import type { Step } from "../../inside/Kernel.ts";

const NUMBER = 900;
const AT_EMPTY_PATH = 0x1000;
/** MFD_NOEXEC_SEAL and MFD_EXEC, Linux 6.3. */
const FLAGS = { plain: 0, sealed: 8, executable: 16 } as const;

export const memoryFile: Attack = {
  name: "memory-file",
  group: "execution",
  tries: "run a program that is in memory only (memfd_create)",
  run: ({ kernel, field }) => {
    const code = program(field.architecture);
    const ways: Step[] = [
      ["execve", `/proc/self/fd/${NUMBER}`, 0, 0],
      ["execveat", NUMBER, "", 0, 0, AT_EMPTY_PATH],
    ];
    return tryEach(Object.entries(FLAGS), ([kind, flags]) =>
      tryEach(ways, (way) => {
        const steps: Step[] = [
          ["memfd_create", "prove", flags],
          ["write", { result: 0 }, code, code.length],
          ["dup3", { result: 0 }, NUMBER, 0],
          way,
        ];
        const { results, status, signal } = kernel.sequence(steps);
        if (status === EXIT_STATUS && signal === 0) return through(`a ${kind} memory file ran`);
        const last = results.at(-1);
        const name = steps[results.length - 1]?.[0] ?? "";
        const error = last !== undefined && "error" in last ? last.error : `signal ${signal}`;
        const layer = error === "EACCES" ? "kernel" : layerOf(kernel, name, error);
        return held(layer, `${kind}: ${name}(): ${error}`);
      }),
    );
  },
};
