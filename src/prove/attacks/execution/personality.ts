import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const ADDR_NO_RANDOMIZE = 0x004_0000;

export const personality: Attack = {
  name: "personality",
  group: "execution",
  tries: "switch off the randomisation of addresses for what it starts",
  run: ({ kernel }) => attempt(kernel, [["personality", ADDR_NO_RANDOMIZE]]),
};
