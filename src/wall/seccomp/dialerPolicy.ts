import type { Condition, SyscallPolicy, SyscallRule } from "./SyscallPolicy.ts";
import type { Syscall } from "./syscalls.ts";

const NEEDED: readonly Syscall[] = [
  ...(["read", "write", "close", "sendmsg", "connect", "poll", "ppoll", "getsockopt"] as const),
  ...(["exit_group", "rt_sigreturn", "restart_syscall"] as const),
];

/** The launcher's dialer reads lines, makes TCP connections and sends them on. Anything else kills it. */
export function dialerPolicy(): SyscallPolicy {
  const [AF_INET, SOCK_STREAM] = [2, 1];
  const rules = new Map<Syscall, SyscallRule>(NEEDED.map((name) => [name, "allow"]));
  const tcp: readonly Condition[] = [
    { argument: 0, mask: 0xffffffff, anyOf: [AF_INET] },
    { argument: 1, mask: 0xf, anyOf: [SOCK_STREAM] },
    { argument: 2, mask: 0xffffffff, anyOf: [0] },
  ];
  rules.set("socket", { clauses: [{ when: tcp, verdict: "allow" }], otherwise: "kill" });
  return { rules, unknown: "kill" };
}
