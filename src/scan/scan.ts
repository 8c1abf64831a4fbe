import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  findGit,
  prepareTool,
  runInWall,
  type StatePaths,
  type WalledTool,
} from "../host/index.ts";
import type { Fingerprints } from "../needles/index.ts";
import { WallError, type Mount } from "../wall/index.ts";
import type { Finding, ScanJob, ScanRoot } from "./inside/Job.ts";
import { readMessage } from "./readMessage.ts";
import { ScanError } from "./ScanError.ts";

/** What a scan came to. */
export interface ScanReport {
  readonly files: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
  /** Found beyond the most that are told one by one. */
  readonly more: number;
  /** What could not be looked at, and why. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
}

const PROGRAM = {
  name: "scanner",
  sources: ["scan/inside", "needles", "shapes"],
  packages: ["@secretlint/secretlint-rule-preset-recommend"],
};
const MOST_FINDINGS = 10_000;
/** No file takes that long without a word. */
const STALL_MS = 60_000;
/** So many files may be too much for the scanner before it gives up. */
const MOST_ATTEMPTS = 8;

/**
 * Looks through files and folders for real values and for what is shaped like a credential. The looking
 * is done inside a wall: without network, with the paths read-only (to redact: writable) and nothing else of
 * this host's, and without the values. A file that is too much for the scanner is named and left out.
 *
 * @param paths as a person named them; links among them aren't followed.
 * @throws ScanError `no-path`, `failed`; WallError and HostError when there can be no wall.
 */
export async function scan(options: {
  readonly state: StatePaths;
  readonly paths: readonly string[];
  readonly fingerprints: Fingerprints;
  readonly redact: boolean;
  readonly onProgress: (text: string) => void;
  /** How long a file may take without a word; a minute unless told. */
  readonly stallMs?: number;
}): Promise<ScanReport> {
  const targets = options.paths.map(locate);
  const tool = await prepareTool(options.state, PROGRAM);
  const report = {
    files: 0,
    bytes: 0,
    findings: [] as Finding[],
    more: 0,
    unread: [] as { path: string; why: string }[],
  };
  const root = process.getuid?.() === 0;
  const owners = new Set(targets.map(({ uid }) => (root ? uid : undefined)));
  for (const uid of owners) {
    const own = targets.filter((target) => uid === undefined || target.uid === uid);
    let part: ScanReport;
    try {
      part = await scanAs(uid === 0 ? undefined : uid, own, tool, options);
    } catch (error) {
      if (!(error instanceof WallError && error.code === "start") || uid === undefined || uid === 0)
        throw error;
      const why = `its owner, uid ${uid}, can't get there, and root looks as the owner only`;
      report.unread.push(...own.map(({ shown }) => ({ path: shown, why })));
      continue;
    }
    report.files += part.files;
    report.bytes += part.bytes;
    report.more += part.more;
    report.findings.push(...part.findings);
    report.unread.push(...part.unread);
  }
  return report;
}

interface Target {
  readonly shown: string;
  readonly path: string;
  readonly folder: boolean;
  readonly uid: number;
}

function locate(shown: string): Target {
  const path = resolve(shown);
  const refuse = (why: string, hint: string): ScanError =>
    new ScanError("no-path", `"${shown}" ${why}`, { hint });
  let stats;
  try {
    stats = lstatSync(path);
  } catch {
    throw refuse("is not there, or can't be looked at", "look at the name");
  }
  if (stats.isSymbolicLink()) throw refuse("is a link", `name what it leads to`);
  if (!stats.isDirectory() && !stats.isFile())
    throw refuse("is neither file nor folder", "name one");
  if (path === "/") throw refuse("is everything", "name the folders to look through");
  // Links on the way to it are the person's own; a mount wants the way without them.
  const plain = join(realpathSync(dirname(path)), basename(path));
  return {
    shown: shown.replace(/(?<=.)\/+$/, ""),
    path: plain,
    folder: stats.isDirectory(),
    uid: stats.uid,
  };
}

async function scanAs(
  uid: number | undefined,
  targets: readonly Target[],
  tool: WalledTool,
  options: {
    readonly fingerprints: Fingerprints;
    readonly redact: boolean;
    readonly onProgress: (text: string) => void;
    readonly stallMs?: number;
  },
): Promise<ScanReport> {
  const roots = targets.map(({ shown }, index): ScanRoot => ({ shown, inside: `/scan/${index}` }));
  const mounts = targets.map(({ path }, index): Mount => ({
    kind: options.redact ? "write" : "read",
    from: path,
    to: `/scan/${index}`,
  }));
  const git = findGit();
  const skip: { path: string; why: string }[] = [];
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const job: ScanJob = {
      roots,
      fingerprints: options.fingerprints,
      skip: skip.map(({ path }) => path),
      redact: options.redact,
      ...(git === undefined ? {} : { git }),
    };
    const heard = new Heard(options.onProgress);
    const { stalled } = await runInWall({
      tool,
      main: "src/scan/inside/main.ts",
      job,
      mounts,
      execute: git === undefined ? [] : [git],
      uid,
      stallMs: options.stallMs ?? STALL_MS,
      onLine: (line) => heard.hear(line),
    });
    if (heard.done !== undefined)
      return {
        ...heard.done,
        findings: heard.findings,
        more: heard.more,
        unread: [...skip, ...heard.unread],
      };
    if (heard.at === undefined || skip.some(({ path }) => path === heard.at))
      throw new ScanError("failed", "the scanner ended before it had begun");
    const why = stalled ? "it takes too long to look at" : "it is too much for the scanner";
    skip.push({ path: heard.at, why });
    options.onProgress(`${heard.at}: ${why}; beginning again without it`);
  }
  throw new ScanError(
    "failed",
    `there are more than ${MOST_ATTEMPTS} files that are too much for the scanner`,
    {
      hint: "name the folders to look through one by one",
    },
  );
}

/** What the scanner said. It has read what bots wrote, so nothing it says is taken as it is. */
class Heard {
  at: string | undefined;
  done: { readonly files: number; readonly bytes: number } | undefined;
  more = 0;
  readonly findings: Finding[] = [];
  readonly unread: { path: string; why: string }[] = [];
  readonly #onProgress: (text: string) => void;
  #files = 0;

  constructor(onProgress: (text: string) => void) {
    this.#onProgress = onProgress;
  }

  hear(line: string): void {
    const message = readMessage(line);
    if (message === undefined) return;
    switch (message.type) {
      case "at":
        this.at = message.path;
        if (++this.#files % 2000 === 0)
          this.#onProgress(`looked at ${this.#files} files and folders`);
        return;
      case "found":
        if (this.findings.length < MOST_FINDINGS) this.findings.push(message.finding);
        else this.more++;
        return;
      case "unread":
        if (this.unread.length < MOST_FINDINGS)
          this.unread.push({ path: message.path, why: message.why });
        return;
      case "done":
        this.done = { files: message.files, bytes: message.bytes };
        return;
      case "alive":
        return;
      default:
        message satisfies never;
    }
  }
}
