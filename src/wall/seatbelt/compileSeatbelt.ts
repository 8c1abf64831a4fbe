import { WallError } from "../WallError.ts";
import type { WallSpec } from "../WallSpec.ts";

/** What a process can't do without on macOS, as Apple's own profiles in /System/Library/Sandbox/Profiles give it. */
const SYSTEM_READS = words(`
  /usr/lib /usr/share/zoneinfo /usr/share/icu /System/Library /System/Cryptexes/OS
  /System/Volumes/Preboot/Cryptexes/OS /Library/Apple /private/var/db/dyld /private/var/db/timezone
`);
const SYSTEM_FILES = words(`
  / /dev/null /dev/zero /dev/random /dev/urandom /dev/dtracehelper
  /private/etc/localtime /private/etc/hosts /private/etc/ssl/cert.pem /private/etc/ssl/openssl.cnf
`);
/** Of the system's services, those without which logging, time zones and user names don't work. */
const MACH_SERVICES = words(`
  com.apple.system.logger com.apple.system.notification_center com.apple.system.opendirectoryd.libinfo
`);
/**
 * What Node, V8 and the C library ask the kernel. Not all: `kern.procargs2` would give the arguments and the
 * environment of whatever else this user runs, keys among them, and `kern.proc` its list.
 */
const SYSCTLS = words(`
  hw.activecpu hw.byteorder hw.cacheconfig hw.cachelinesize hw.cachelinesize_compat hw.cpufamily
  hw.cpufrequency hw.cputype hw.cpusubtype hw.l1dcachesize hw.l1icachesize hw.l2cachesize hw.l3cachesize
  hw.logicalcpu hw.logicalcpu_max hw.machine hw.memsize hw.model hw.ncpu hw.nperflevels hw.packages
  hw.pagesize hw.pagesize_compat hw.physicalcpu hw.physicalcpu_max hw.tbfrequency hw.vectorunit
  kern.argmax kern.boottime kern.hostname kern.maxfiles kern.maxfilesperproc kern.ngroups
  kern.osproductversion kern.osrelease kern.ostype kern.osvariant_status kern.osversion
  kern.secure_kernel kern.tcsm_available kern.tcsm_enable kern.usrstack64 kern.version
  machdep.ptrauth_enabled security.mac.lockdown_mode_state sysctl.proc_cputype vm.loadavg vm.swapusage
`);
const SYSCTL_FOLDERS = words("hw.optional. hw.perflevel machdep.cpu. net.routetable.");

/**
 * The wall as a Seatbelt profile (sandbox-exec(1); the language is that of Apple's own `*.sb` files), for
 * macOS, which has no namespaces: everything is refused but what is named. The last rule that fits a call
 * decides, so what is protected comes after what is allowed. The network is the explicit proxy's port on
 * the loopback, and the ports that the process itself answers on.
 *
 * Pure. Throws WallError `protect` for what a profile can't say: a file made of text, memory, or a place
 * other than its own.
 */
export function compileSeatbelt(spec: WallSpec): string {
  const rules: string[] = ["(version 1)", "(deny default)", ""];
  const say = (comment: string, lines: readonly string[]) => {
    if (lines.length > 0) rules.push(`; ${comment}`, ...lines, "");
  };
  say("what every process needs", [
    "(allow process-fork)",
    "(allow signal (target same-sandbox))",
    "(allow process-info* (target same-sandbox))",
    ...SYSCTLS.map((name) => `(allow sysctl-read (sysctl-name ${quote(name)}))`),
    ...SYSCTL_FOLDERS.map((name) => `(allow sysctl-read (sysctl-name-prefix ${quote(name)}))`),
    // How many threads V8 takes.
    '(allow sysctl-write (sysctl-name "kern.tcsm_enable"))',
    "(allow file-read-metadata)",
    ...SYSTEM_READS.map((path) => `(allow file-read* file-map-executable ${below(path)})`),
    ...SYSTEM_FILES.map((path) => `(allow file-read* ${exactly(path)})`),
    ...["/dev/null", "/dev/zero"].map((path) => `(allow file-write-data ${exactly(path)})`),
    `(allow file-ioctl ${exactly("/dev/dtracehelper")})`,
    '(allow ipc-posix-shm-read-data (ipc-posix-name "apple.shm.notification_center"))',
    // Pipes to what it starts are pairs of them; connecting by a path is another matter, and isn't allowed.
    "(allow system-socket (socket-domain AF_UNIX))",
    ...MACH_SERVICES.map((name) => `(allow mach-lookup (global-name ${quote(name)}))`),
  ]);
  say(
    "what may be read and written",
    spec.mounts.flatMap((mount) => {
      switch (mount.kind) {
        case "read":
        case "write":
          if (mount.from !== mount.to) fail(`"${mount.from}" can't appear as "${mount.to}"`);
          return [
            `(allow file-read* ${below(mount.to)})`,
            ...(mount.kind === "write" ? [`(allow file-write* ${below(mount.to)})`] : []),
          ];
        case "file":
        case "memory":
        case "sealed":
          return fail(`nothing can be mounted at "${mount.to}"`);
        case "link":
        case "proc":
        case "devices":
          return [];
        default:
          return mount satisfies never;
      }
    }),
  );
  say(
    "what is kept back, whether it exists or not",
    spec.protect.flatMap(({ path, access }) => [
      ...(access === "hidden" ? [`(deny file-read* ${below(path)})`] : []),
      `(deny file-write* ${below(path)})`,
      // Else a folder on the way could be moved, and another one made at its place.
      ...ancestorsInside(spec, path).map((folder) => `(deny file-write-unlink ${exactly(folder)})`),
    ]),
  );
  const programs = [...new Set([spec.command[0], ...spec.execute])];
  say("what may be executed, and nothing that may be written", [
    ...programs.map((path) => `(allow process-exec ${exactly(path)})`),
    ...programs.map((path) => `(allow file-read* file-map-executable ${exactly(path)})`),
    ...spec.libraries.map((path) => `(allow file-map-executable ${below(path)})`),
    ...spec.mounts
      .filter((mount) => mount.kind === "write")
      .flatMap(({ to }) => [
        `(deny process-exec ${below(to)})`,
        `(deny file-map-executable ${below(to)})`,
      ]),
  ]);
  say("the network", spec.namespaces === "host" ? outwards(spec) : toTheBroker(spec));
  if (spec.processes === "one") say("no second process", ["(deny process-fork)"]);
  return `${rules.join("\n").trimEnd()}\n`;
}

/** The broker's port on the loopback, and the ports of its own. */
function toTheBroker({ network: { proxy, outside = proxy, bind } }: WallSpec): string[] {
  const local = (port: number): string => quote(`localhost:${port}`);
  return [
    ...(outside === undefined ? [] : [`(allow network-outbound (remote tcp ${local(outside)}))`]),
    ...bind.flatMap((port) => [
      `(allow network-bind network-inbound (local tcp ${local(port)}))`,
      `(allow network-outbound (remote tcp ${local(port)}))`,
    ]),
  ];
}

/** Of a process of ours that dials out: any address, names by the system's resolver, its ports. */
function outwards({ network: { bind } }: WallSpec): string[] {
  return [
    '(allow network-outbound (remote ip "*:*"))',
    `(allow network-outbound ${exactly("/private/var/run/mDNSResponder")})`,
    "(allow system-socket (require-all (socket-domain AF_SYSTEM) (socket-protocol 2)))",
    // Also at the ports that it is handed, which the supervisor has bound.
    '(allow network-inbound (local tcp "localhost:*"))',
    ...bind.map((port) => `(allow network-bind (local tcp ${quote(`localhost:${port}`)}))`),
  ];
}

/** Folders between a path and the writable one that holds it. */
function ancestorsInside(spec: WallSpec, path: string): string[] {
  const root = spec.mounts.find(
    (mount) => mount.kind === "write" && path.startsWith(`${mount.to}/`),
  );
  if (root === undefined) return [];
  const steps = path.slice(root.to.length + 1).split("/");
  return steps.slice(0, -1).map((_, index) => [root.to, ...steps.slice(0, index + 1)].join("/"));
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/u);
}

function below(path: string): string {
  return `(subpath ${quote(path)})`;
}

function exactly(path: string): string {
  return `(literal ${quote(path)})`;
}

/** A string of the profile's language, a Scheme: backslash and quotation mark are escaped. */
function quote(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they have no place in a profile
  if (/[\u0000-\u001f\u007f]/u.test(text)) fail("a path holds a control character");
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function fail(message: string): never {
  throw new WallError("protect", `a Seatbelt profile can't say that: ${message}`);
}
