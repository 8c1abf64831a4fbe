import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const EINPROGRESS = "EINPROGRESS";
/** Protocols that Landlock's rules for TCP don't cover (landlock(7)). */
const PROTOCOLS = { SCTP: 132, MPTCP: 262 } as const;

export const otherTransports: Attack = {
  name: "other-transports",
  group: "network",
  tries: "connect over MPTCP or SCTP, past rules that know TCP",
  run: ({ kernel, field }) => {
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
    return tryEach(Object.entries(PROTOCOLS), ([name, protocol]) =>
      attempt(
        kernel,
        [
          ["socket", AF_INET, SOCK_STREAM, protocol],
          ["connect", { result: 0 }, target, target.length],
        ],
        {
          permitted: [EINPROGRESS],
          success: `connected over ${name}`,
          otherwise: "network namespace",
        },
      ),
    );
  },
};
