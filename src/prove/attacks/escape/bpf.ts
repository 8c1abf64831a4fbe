import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const MAP_CREATE = 0;
const ARRAY = 2;

export const bpf: Attack = {
  name: "bpf",
  group: "escape",
  tries: "use the kernel's programmable hooks (bpf)",
  run: ({ kernel }) => {
    const attributes = new Uint8Array(Uint32Array.of(ARRAY, 4, 4, 1).buffer);
    return attempt(kernel, [["bpf", MAP_CREATE, attributes, attributes.length]]);
  },
};
