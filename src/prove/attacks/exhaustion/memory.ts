import type { Attack } from "../../Attack.ts";
import { held, through, untried } from "../../inside/findings.ts";
import type { Step } from "../../inside/Kernel.ts";

const CHUNKS = 64;
const SIGKILL = 9;
const PROT_READ_WRITE = 3;
/** MAP_PRIVATE, MAP_ANONYMOUS, MAP_POPULATE: the pages are really taken. */
const FLAGS = 0x2 | 0x20 | 0x8000;

export const memory: Attack = {
  name: "memory",
  group: "exhaustion",
  tries: "take memory until the machine has no more",
  run: ({ kernel, field }) => {
    const size = Math.ceil(field.bounds.memory / CHUNKS / 4096) * 4096;
    const steps = Array.from({ length: CHUNKS }, (): Step => [
      "mmap",
      0,
      size,
      PROT_READ_WRITE,
      FLAGS,
      -1,
      0,
    ]);
    const { results, signal } = kernel.sequence(steps, 30);
    const taken = Math.round((results.length * size) / (1 << 20));
    const last = results.at(-1);
    if (signal === SIGKILL) return held("limits", `killed after about ${taken} MB`);
    if (signal !== 0) return untried(`it took too long: signal ${signal}`);
    if (last !== undefined && "error" in last)
      return held("limits", `${last.error} after about ${taken} MB`);
    return through(`${taken} MB, and nothing stopped it`);
  },
};
