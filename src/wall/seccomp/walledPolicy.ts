import { EAFNOSUPPORT, ENOSYS, EOPNOTSUPP, EPERM, EPROTONOSUPPORT } from "./errno.ts";
import { ABSENT_SETS, ALLOWED_SETS, namesOf, REFUSED_SETS } from "./sets.ts";
import type { ConditionalRule, SyscallPolicy, SyscallRule, Verdict } from "./SyscallPolicy.ts";
import type { Syscall } from "./syscalls.ts";

const ALL = 0xffffffff;
const refused = { errno: EPERM };
const absent = { errno: ENOSYS };

// include/uapi/linux/sched.h: the namespace flags that clone() takes, and CLONE_THREAD.
const NAMESPACES = [
  0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
];
const CLONE_THREAD = 0x00010000;
// include/linux/socket.h and include/linux/net.h.
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_TYPE_MASK = 0xf;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const NETLINK_ROUTE = 0;
// include/linux/socket.h. Connects while sending (tcp(7), RFC 7413), which Landlock's rules for
// connecting don't see: the kernel asks security modules in connect(2) only (net/ipv4/tcp.c).
const MSG_FASTOPEN = 0x20000000;
// include/uapi/asm-generic/ioctls.h. TIOCSTI types into the terminal of whoever started us,
// TIOCLINUX pastes into a console, TIOCSETD loads line disciplines.
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const TIOCSETD = 0x5423;
// include/uapi/linux/memfd.h, Linux 6.3: a memory file that can never be executed.
const MFD_NOEXEC_SEAL = 0x8;
// include/uapi/linux/stat.h.
const S_IFMT = 0xf000;
const S_IFREG = 0x8000;
const S_IFIFO = 0x1000;
const S_IFSOCK = 0xc000;

/** `processes: "one"`: threads yes, other processes, signals to others and Unix sockets no. */
export interface PolicyOptions {
  readonly processes: "any" | "one";
  /**
   * `tcp` = neither UDP nor Unix sockets, for a process in the host's network: Landlock watches TCP
   * ports alone, and by path D-Bus or a container engine would be reached.
   */
  readonly sockets?: "all" | "tcp";
  /**
   * Among the host's own processes and in its IPC namespace: no System V memory, semaphores and queues, no
   * POSIX queues, no other process's limits. Landlock watches none of these.
   */
  readonly shared?: boolean;
  /**
   * Within another wall, among its processes: `shared`, no other process's priority and processors, and no
   * socket at all. Pairs of connected ones stay, since programs start others with them.
   */
  readonly nested?: boolean;
  /** Nothing leaves the process group it was started in (setpgid(2), setsid(2)). */
  readonly together?: boolean;
  /** `one` may connect to Unix sockets after all: its mounts show none but those meant for it. */
  readonly unixSockets?: boolean;
}

/**
 * The filter every walled process gets: what isn't allowed by name is refused. It keeps working
 * Node, Python, git and shells, `os.networkInterfaces()` (AF_NETLINK) included.
 */
export function walledPolicy(options: PolicyOptions): SyscallPolicy {
  const rules = new Map<Syscall, SyscallRule>();
  const put = (sets: Readonly<Record<string, string>>, verdict: Verdict) => {
    for (const set of Object.values(sets))
      for (const name of namesOf(set)) rules.set(name, verdict);
  };
  put(ALLOWED_SETS, "allow");
  put(REFUSED_SETS, refused);
  put(ABSENT_SETS, absent);
  rules.set("clone", cloneRule(options));
  rules.set("socket", socketRule(options));
  rules.set("socketpair", onlyIf(0, ALL, [AF_UNIX], { errno: EAFNOSUPPORT }));
  rules.set("ioctl", {
    clauses: [
      {
        when: [{ argument: 1, mask: ALL, anyOf: [TIOCSTI, TIOCLINUX, TIOCSETD] }],
        verdict: refused,
      },
    ],
    otherwise: "allow",
  });
  // The argument that holds the flags: send(2), sendmmsg(2).
  for (const [name, argument] of [
    ["sendto", 3],
    ["sendmsg", 2],
    ["sendmmsg", 3],
  ] as const)
    rules.set(name, onlyIf(argument, MSG_FASTOPEN, [0], { errno: EOPNOTSUPP }));
  // 0 is plain Linux, ALL asks what is set. Others switch off address randomisation and the like.
  rules.set("personality", onlyIf(0, ALL, [0, ALL], refused));
  // Landlock lets memory files execute (they are on no mount); nothing a bot wrote itself may.
  rules.set("memfd_create", onlyIf(1, MFD_NOEXEC_SEAL, [MFD_NOEXEC_SEAL], absent));
  rules.set("mknod", onlyIf(1, S_IFMT, [0, S_IFREG, S_IFIFO, S_IFSOCK], refused));
  rules.set("mknodat", onlyIf(2, S_IFMT, [0, S_IFREG, S_IFIFO, S_IFSOCK], refused));
  if (options.shared === true || options.nested === true) {
    for (const name of namesOf(ALLOWED_SETS.ipc)) rules.set(name, refused);
    rules.set("prlimit64", onlyIf(0, ALL, [0], refused));
  }
  if (options.nested === true) nest(rules);
  if (options.together === true)
    for (const name of ["setpgid", "setsid"] as const) rules.set(name, refused);
  if (options.processes === "one") {
    const denied: readonly Syscall[] = [
      ...(["fork", "vfork"] as const),
      // It has nobody to signal, and without Landlock's scopes these would reach the whole user.
      // tgkill stays, for raise(3); the launcher's own filter keeps it to the process's own id.
      ...(["kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"] as const),
      ...(["pidfd_open", "pidfd_send_signal"] as const),
      // Landlock before ABI 3 doesn't watch it, and what may be written is appended to.
      "truncate",
    ];
    for (const name of denied) rules.set(name, refused);
    rules.set("socketpair", { errno: EAFNOSUPPORT });
  }
  return { rules, unknown: absent };
}

function nest(rules: Map<Syscall, SyscallRule>): void {
  for (const name of ["socket", "connect", "bind", "listen"] as const) rules.set(name, refused);
  // Two datagram sockets that are connected could be connected anew, to a path.
  rules.set("socketpair", {
    clauses: [
      {
        when: [
          { argument: 0, mask: ALL, anyOf: [AF_UNIX] },
          { argument: 1, mask: SOCK_TYPE_MASK, anyOf: [SOCK_STREAM] },
        ],
        verdict: "allow",
      },
    ],
    otherwise: refused,
  });
  // Of the same user's processes all may be slowed down; Landlock watches none of these.
  for (const name of [
    "sched_setparam",
    "sched_setscheduler",
    "sched_setaffinity",
    "sched_setattr",
  ] as const)
    rules.set(name, onlyIf(0, ALL, [0], refused));
  for (const name of ["setpriority", "ioprio_set"] as const) rules.set(name, refused);
}

function cloneRule(options: PolicyOptions): ConditionalRule {
  const namespaces = NAMESPACES.map((flag) => ({
    when: [{ argument: 0 as const, mask: flag, anyOf: [flag] }],
    verdict: refused,
  }));
  if (options.processes === "any") return { clauses: namespaces, otherwise: "allow" };
  const thread = [{ argument: 0 as const, mask: CLONE_THREAD, anyOf: [CLONE_THREAD] }];
  return { clauses: [...namespaces, { when: thread, verdict: "allow" }], otherwise: refused };
}

/**
 * TCP and UDP over IPv4 and IPv6, Unix sockets, and route netlink for reading interfaces. So no raw
 * and no packet sockets, no ICMP, no vsock; no MPTCP or SCTP either, which Landlock's TCP rules
 * don't cover (landlock(7), Linux 6.7 to 6.13).
 */
function socketRule(options: PolicyOptions): ConditionalRule {
  const inet = { argument: 0, mask: ALL, anyOf: [AF_INET, AF_INET6] } as const;
  const netlink = { argument: 0, mask: ALL, anyOf: [AF_NETLINK] } as const;
  const stream = { argument: 1, mask: SOCK_TYPE_MASK, anyOf: [SOCK_STREAM] } as const;
  const datagram = { argument: 1, mask: SOCK_TYPE_MASK, anyOf: [SOCK_DGRAM] } as const;
  const tcp = { argument: 2, mask: ALL, anyOf: [0, IPPROTO_TCP] } as const;
  const udp = { argument: 2, mask: ALL, anyOf: [0, IPPROTO_UDP] } as const;
  const route = { argument: 2, mask: ALL, anyOf: [NETLINK_ROUTE] } as const;
  const unsupported = { errno: EPROTONOSUPPORT };
  const unix = { argument: 0, mask: ALL, anyOf: [AF_UNIX] } as const;
  return {
    clauses: [
      { when: [inet, stream, tcp], verdict: "allow" },
      ...(options.sockets === "tcp"
        ? []
        : [{ when: [inet, datagram, udp], verdict: "allow" as const }]),
      { when: [inet], verdict: unsupported },
      { when: [netlink, route], verdict: "allow" },
      { when: [netlink], verdict: unsupported },
      // A Unix socket by path is beyond Landlock: on the host's file system it would reach D-Bus.
      ...((options.processes === "any" && options.sockets !== "tcp") || options.unixSockets === true
        ? [{ when: [unix], verdict: "allow" as const }]
        : []),
    ],
    otherwise: { errno: EAFNOSUPPORT },
  };
}

function onlyIf(
  argument: 0 | 1 | 2 | 3,
  mask: number,
  anyOf: readonly number[],
  otherwise: Verdict,
): ConditionalRule {
  return { clauses: [{ when: [{ argument, mask, anyOf }], verdict: "allow" }], otherwise };
}
