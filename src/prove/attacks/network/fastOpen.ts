import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const MSG_FASTOPEN = 0x2000_0000;

export const fastOpen: Attack = {
  name: "tcp-fast-open",
  group: "network",
  tries: "connect by sending (TCP Fast Open), past what watches connect(2)",
  run: ({ kernel, field, tag }) => {
    const { tcp } = field.loopback;
    const target = Buffer.from([
      AF_INET,
      0,
      tcp >> 8,
      tcp & 0xff,
      127,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
    return attempt(
      kernel,
      [
        ["socket", AF_INET, SOCK_STREAM, 0],
        ["sendto", { result: 0 }, `${tag}\n`, tag.length + 1, MSG_FASTOPEN, target, target.length],
      ],
      { success: "the host's service took the connection", otherwise: "network namespace" },
    );
  },
};
