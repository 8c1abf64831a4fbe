import type { Attack } from "../../Attack.ts";
import { inject } from "../../inside/terminal.ts";

const TIOCSTI = 0x5412;

export const typeIntoTerminal: Attack = {
  name: "type-into-terminal",
  group: "escape",
  tries: "type into the terminal of whoever started it (TIOCSTI)",
  run: ({ kernel }) => inject(kernel, TIOCSTI, "x"),
};
