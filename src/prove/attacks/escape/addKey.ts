import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const PROCESS_KEYRING = -2;

export const addKey: Attack = {
  name: "add-key",
  group: "escape",
  tries: "put keys into the kernel's keyrings, a favourite of exploits",
  run: ({ kernel }) => attempt(kernel, [["add_key", "user", "prove", "x", 1, PROCESS_KEYRING]]),
};
