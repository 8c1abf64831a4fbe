import type { Finding } from "../Attack.ts";
import { attempt } from "./attempt.ts";
import type { Kernel } from "./Kernel.ts";

const O_RDWR_NOCTTY = 0o402;
// include/uapi/asm-generic/ioctls.h.
const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTPEER = 0x5441;
const TIOCSCTTY = 0x540e;

/** Makes a terminal its own and tries an ioctl on it, so that it can be tried without a real one. */
export function inject(
  kernel: Kernel,
  command: number,
  argument: string,
  permitted: readonly string[] = [],
): Finding {
  return attempt(
    kernel,
    [
      ["openat", -100, "/dev/ptmx", O_RDWR_NOCTTY, 0],
      ["ioctl", { result: 0 }, TIOCSPTLCK, Buffer.alloc(4)],
      ["ioctl", { result: 0 }, TIOCGPTPEER, O_RDWR_NOCTTY],
      ["setsid"],
      ["ioctl", { result: 2 }, TIOCSCTTY, 0],
      ["ioctl", { result: 2 }, command, argument],
    ],
    { permitted },
  );
}
