import { WallError } from "../WallError.ts";
import type { WallSpec } from "../WallSpec.ts";

/** What a process can't do without on macOS, as Apple's own profiles in /System/Library/Sandbox/Profiles give it. */
const SYSTEM_READS = ["/usr/lib", "/System/Library", "/Library/Apple", "/private/var/db/dyld"];
const SYSTEM_FILES = [
  ..."/dev/null /dev/zero /dev/random /dev/urandom /dev/dtracehelper /dev/tty".split(" "),
  ..."/private/etc/localtime /private/var/db/timezone /private/etc/ssl/cert.pem".split(" "),
];
/** Of the system's services, those without which logging, time zones and user names don't work. */
const MACH_SERVICES = [
  "com.apple.system.logger",
  "com.apple.system.notification_center",
  "com.apple.system.opendirectoryd.libinfo",
];

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
  const { proxy, bind } = spec.network;
  const rules: string[] = ["(version 1)", "(deny default)", ""];
  const say = (comment: string, lines: readonly string[]) => {
    if (lines.length > 0) rules.push(`; ${comment}`, ...lines, "");
  };
  say("what every process needs", [
    "(allow process-fork)",
    "(allow signal (target same-sandbox))",
    "(allow process-info* (target same-sandbox))",
    "(allow sysctl-read)",
    "(allow file-read-metadata)",
    ...SYSTEM_READS.map((path) => `(allow file-read* file-map-executable ${below(path)})`),
    ...SYSTEM_FILES.map((path) => `(allow file-read* ${exactly(path)})`),
    ...["/dev/null", "/dev/zero", "/dev/tty"].map(
      (path) => `(allow file-write-data ${exactly(path)})`,
    ),
    `(allow file-ioctl ${exactly("/dev/tty")})`,
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
  say("the network: the broker, and the ports of its own", [
    ...(proxy === undefined ? [] : [`(allow network-outbound (remote tcp "localhost:${proxy}"))`]),
    ...bind.flatMap((port) => [
      `(allow network-bind network-inbound (local tcp "localhost:${port}"))`,
      `(allow network-outbound (remote tcp "localhost:${port}"))`,
    ]),
  ]);
  if (spec.processes === "one") say("no second process", ["(deny process-fork)"]);
  return `${rules.join("\n").trimEnd()}\n`;
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
