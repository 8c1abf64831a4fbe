import { writeSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { codeOf, held, inapplicable } from "../../inside/findings.ts";

const STDERR = 2;
const LINE = `${"flood ".repeat(170)}\n`;

export const logFlood: Attack = {
  name: "log-flood",
  group: "exhaustion",
  tries: "fill the disk through its log",
  // Whether the log grew, only those outside can see: they have the last word on this one.
  run: ({ field }) => {
    const most = field.bounds.logBytes;
    if (most === 0) return inapplicable("what a command prints is nobody's log");
    const block = Buffer.from(LINE.repeat(64));
    let written = 0;
    while (written < most) {
      try {
        written += writeSync(STDERR, block);
      } catch (error) {
        if (codeOf(error) !== "EAGAIN") throw error;
      }
    }
    return held("limits", `wrote ${Math.round(written / (1 << 20))} MB, and the log stayed small`);
  },
};
