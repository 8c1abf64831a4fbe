import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  programFiles,
  type Mount,
  type ProgramFiles,
  type ResourceLimits,
  type WallSpec,
} from "../../wall/index.ts";
import { CONTROL_PORT, PROXY_PORT } from "./messages.ts";

/** Debian, Fedora, Arch, openSUSE; the program itself, since the script before it needs a shell. */
const PLACES = [
  "/usr/lib/chromium/chromium",
  "/usr/lib64/chromium-browser/chromium-browser",
  "/usr/lib64/chromium/chromium",
];
/** Read by fontconfig (fonts-conf(5)). */
const FONTS = ["/etc/fonts", "/usr/share/fonts", "/usr/share/fontconfig"];
/** Loaded by libnss3 when it starts, by name. */
const NSS = ["libfreebl3.so", "libfreeblpriv3.so", "libnssckbi.so", "libsoftokn3.so"];
/** Its own, loaded by name. */
const OWN_LIBRARIES = /^lib[A-Za-z0-9]+\.so(?:\.\d+)?$/;

const NODE = "/opt/node/bin/node";
const PROGRAM = "/opt/seawall";
/** Chromium's profile, and with `--disable-dev-shm-usage` what its processes share. */
const TMP_BYTES = 512 * 1024 * 1024;

/** Four pages at once took 0.9 GB at the most here; a page that wants all of it ends its browser alone. */
export const BROWSER_LIMITS: ResourceLimits = {
  memory: 2 * 1024 ** 3,
  processes: 600,
  openFiles: 4096,
  fileSize: 256 * 1024 ** 2,
};

/** The system's Chromium, or undefined where there is none. */
export function findChromium(): string | undefined {
  return PLACES.find((path) => existsSync(path));
}

/** The program that runs inside, for `storeProgram`. */
export const BROWSER_PROGRAM = {
  name: "browser",
  sources: ["services/browser/inside"],
  packages: ["playwright-core", "@mozilla/readability", "turndown"],
} as const;

/** What Node and Chromium use of a system, and fonts with what fontconfig is told of them. */
export interface BrowserSystem {
  readonly files: ProgramFiles;
  readonly fonts: readonly Mount[];
}

export interface BrowserWallInput {
  /** Node's program file on the host. */
  readonly node: string;
  readonly chromium: string;
  /** Where `BROWSER_PROGRAM` was stored. */
  readonly program: string;
  readonly limits: ResourceLimits;
  /** Found on this host where left out. */
  readonly system?: BrowserSystem;
  /** Its orders come by this descriptor, and not by a port inside. */
  readonly orders?: number;
}

/**
 * The wall round one bot's browser: Chromium, fonts and the program that drives it, all read-only; no
 * file of anybody's; a network that ends in the gate's two sockets.
 */
export function browserWall(input: BrowserWallInput): WallSpec {
  const { node, chromium, program, limits, system, orders } = input;
  const files = system?.files ?? browserFiles(node, chromium);
  const fonts =
    system?.fonts ?? FONTS.filter((path) => existsSync(path)).map((path) => read(path, path));
  const file = (to: string, text: string): Mount => ({ kind: "file", to, text });
  return {
    command: [
      NODE,
      "--no-warnings",
      "--max-old-space-size=512",
      `${PROGRAM}/src/services/browser/inside/main.ts`,
      orders === undefined ? String(CONTROL_PORT) : `fd:${orders}`,
    ],
    cwd: "/tmp",
    environment: { HOME: "/tmp", LANG: "C.UTF-8", PATH: "/usr/bin", TZ: "UTC" },
    identity: { uid: 1000, gid: 1000 },
    hostname: "browser",
    mounts: [
      { kind: "proc", to: "/proc" },
      { kind: "devices", to: "/dev" },
      { kind: "memory", to: "/tmp", size: TMP_BYTES },
      ...files.mounts,
      read(join(chromium, ".."), join(chromium, "..")),
      ...fonts,
      read(node, NODE),
      read(program, PROGRAM),
      file("/etc/passwd", "browser:x:1000:1000:browser:/tmp:/usr/sbin/nologin\n"),
      file("/etc/nsswitch.conf", "passwd: files\nhosts: files\n"),
      file("/etc/hosts", "127.0.0.1 localhost\n"),
    ],
    network: {
      tcp: orders === undefined ? [PROXY_PORT, CONTROL_PORT] : [PROXY_PORT],
      udp: [],
      bind: [],
    },
    execute: [chromium, ...files.execute],
    libraries: files.libraries,
    protect: [],
    limits,
    processes: "any",
    namespaces: "own",
    concessions: [],
  };
}

/**
 * What the two programs use, with the libraries that Chromium loads by name.
 *
 * @param find as `programFiles`
 */
export function browserFiles(
  node: string,
  chromium: string,
  find: (programs: readonly string[]) => ProgramFiles = programFiles,
): ProgramFiles {
  const files = find([node, chromium]);
  const nss = NSS.flatMap((name) => besideLibrary(files.libraries, "libnss3.so", name));
  const own = ownLibraries(join(chromium, ".."));
  // Nix has another package's in place of some.
  const linked = own
    .filter((path) => isLink(path) && existsSync(path))
    .map((path) => resolve(path, "..", readlinkSync(path)))
    .filter((path) => !files.libraries.includes(path));
  const more = [...nss, ...linked];
  return {
    ...files,
    mounts: [...files.mounts, ...more.map((path) => read(realpathSync(path), path))],
    libraries: [...files.libraries, ...more, ...own.filter((path) => !isLink(path))],
  };
}

function read(from: string, to: string): Mount {
  return { kind: "read", from, to };
}

function isLink(path: string): boolean {
  return lstatSync(path).isSymbolicLink();
}

function ownLibraries(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => OWN_LIBRARIES.test(name))
    .map((name) => join(folder, name));
}

function besideLibrary(libraries: readonly string[], known: string, name: string): string[] {
  const beside = libraries.find((path) => path.endsWith(`/${known}`));
  if (beside === undefined) return [];
  const path = join(beside, "..", name);
  return existsSync(path) && !libraries.includes(path) ? [path] : [];
}
