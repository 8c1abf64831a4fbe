import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const ioUring: Attack = {
  name: "io-uring",
  group: "escape",
  tries: "have the kernel make calls that no filter sees (io_uring)",
  run: ({ kernel }) => attempt(kernel, [["io_uring_setup", 1, Buffer.alloc(120)]]),
};
