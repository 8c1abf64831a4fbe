import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const S_IFBLK = 0o060_000;
const DISK = (8 << 8) | 0;

export const makeDevice: Attack = {
  name: "make-device",
  group: "escape",
  tries: "make a device file for the disk",
  run: ({ kernel, field }) => {
    const path = join(field.home, `disk-${process.pid}`);
    return attempt(kernel, [
      ["mknodat", -100, path, S_IFBLK | 0o600, DISK],
      ["unlinkat", -100, path, 0],
    ]);
  },
};
