import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { inject } from "../../inside/terminal.ts";

const TIOCLINUX = 0x541c;
/** Which virtual terminals take notice of the shift key: only asks. */
const ASKS = "\u0006";

export const pasteIntoConsole: Attack = {
  name: "paste-into-console",
  group: "escape",
  tries: "paste into the console (TIOCLINUX)",
  run: ({ kernel }) => {
    const console = attempt(kernel, [
      ["openat", -100, "/dev/tty1", 2, 0],
      ["ioctl", { result: 0 }, TIOCLINUX, ASKS],
    ]);
    return console.state === "through" ? console : inject(kernel, TIOCLINUX, ASKS, ["ENOTTY"]);
  },
};
