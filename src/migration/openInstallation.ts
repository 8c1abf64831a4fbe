import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { prepareTool, runInWall, type StatePaths, type WalledTool } from "../host/index.ts";
import { SecretValue } from "../secrets/index.ts";
import type {
  MigrationFailure,
  MigrationJob,
  MigrationMessage,
  Purpose,
  Replacement,
  SavedFile,
} from "./inside/Job.ts";
import { readMessage } from "./readMessage.ts";
import { MigrationError, type MigrationErrorCode } from "./MigrationError.ts";

/** A credential of an installation, hidden. */
export interface InstalledCredential {
  readonly place: string;
  readonly purpose: Purpose;
  readonly value: SecretValue;
}

/** Something that stays where it is, and why. */
export interface LeftOut {
  readonly place: string;
  readonly why: string;
  readonly hint?: string;
}

export interface ReadInstallation {
  readonly config: Readonly<Record<string, unknown>>;
  readonly credentials: readonly InstalledCredential[];
  readonly left: readonly LeftOut[];
}

const PROGRAM = {
  name: "migrator",
  sources: ["migration/inside"],
  packages: ["@humanwhocodes/momoa"],
};
const INSIDE = "/installation";
const STALL_MS = 120_000;
const MOST_BYTES = 512 * 1024 * 1024;

/**
 * An OpenClaw state folder. Everything in it was written by OpenClaw, so all of it is read and changed
 * inside a wall that has this folder and nothing else; what comes out is JSON.
 */
export class Installation {
  readonly folder: string;
  readonly #tool: WalledTool;
  readonly #uid: number | undefined;

  constructor(folder: string, tool: WalledTool, uid: number | undefined) {
    this.folder = folder;
    this.#tool = tool;
    this.#uid = uid;
  }

  /** @throws MigrationError */
  async read(): Promise<ReadInstallation> {
    const credentials: InstalledCredential[] = [];
    const left: LeftOut[] = [];
    let config: unknown;
    await this.#run({ verb: "read", folder: INSIDE }, (message) => {
      if (message.type === "config") config = message.value;
      else if (message.type === "left") left.push({ place: message.place, why: message.why });
      else if (message.type === "credential") {
        const { place, purpose, value } = message.credential;
        credentials.push({ place: place, purpose, value: new SecretValue(value) });
      }
    });
    return { config: (config ?? {}) as Record<string, unknown>, credentials, left };
  }

  /** Every file that `replace` would change, as it is. @throws MigrationError */
  async collect(replacements: readonly Replacement[]): Promise<SavedFile[]> {
    const files: SavedFile[] = [];
    let size = 0;
    await this.#run({ verb: "collect", folder: INSIDE, replacements }, (message) => {
      if (message.type !== "file") return;
      size += message.file.bytes?.length ?? 0;
      if (size < MOST_BYTES) files.push(message.file);
    });
    if (size < MOST_BYTES) return files;
    throw new MigrationError("disk", "what would be changed is too much for a backup", {
      hint: "move what isn't needed out of the installation",
    });
  }

  /** Puts phantoms in the places of credentials. Gives the changed files. @throws MigrationError */
  async replace(replacements: readonly Replacement[]): Promise<string[]> {
    const changed: string[] = [];
    await this.#run({ verb: "replace", folder: INSIDE, replacements }, (message) => {
      if (message.type === "changed") changed.push(message.path);
    });
    return changed;
  }

  /** @throws MigrationError */
  async restore(files: readonly SavedFile[]): Promise<void> {
    await this.#run({ verb: "restore", folder: INSIDE, files }, () => undefined);
  }

  async #run(job: MigrationJob, take: (message: MigrationMessage) => void): Promise<void> {
    const writes = job.verb === "replace" || job.verb === "restore";
    let done = false;
    let failure: MigrationError | undefined;
    const { stalled } = await runInWall({
      tool: this.#tool,
      main: "src/migration/inside/main.ts",
      job,
      mounts: [{ kind: writes ? "write" : "read", from: this.folder, to: INSIDE }],
      execute: [],
      uid: this.#uid,
      stallMs: STALL_MS,
      longestLine: MOST_BYTES,
      onLine: (line) => {
        const message = readMessage(line);
        if (message === undefined) return;
        if (message.type === "done") done = true;
        else if (message.type === "failed") failure = failureError(message.code, message.place);
        else take(message);
      },
    });
    if (failure !== undefined) throw failure;
    if (done) return;
    throw new MigrationError(
      "failed",
      stalled ? "the installation takes too long to read" : "the installation can't be read",
      { where: this.folder },
    );
  }
}

const FAILURES: Readonly<Record<MigrationFailure, [MigrationErrorCode, string, string]>> = {
  "no-config": [
    "no-installation",
    "there is no OpenClaw configuration",
    "name the folder that holds openclaw.json",
  ],
  "bad-config": [
    "unreadable",
    "OpenClaw's configuration is not valid JSON5",
    "see what OpenClaw says: openclaw config validate",
  ],
  includes: [
    "unreadable",
    "OpenClaw's configuration includes other files",
    "write them out into one, then try again",
  ],
  "bad-database": [
    "unreadable",
    "OpenClaw's database can't be read",
    "see what OpenClaw says: openclaw doctor",
  ],
  "too-large": [
    "unreadable",
    "a file is too large to be taken over",
    "move it out of the installation",
  ],
  disk: [
    "disk",
    "a file can't be written",
    "make room or give the right to write, then: seawall secret adopt --undo",
  ],
  changed: [
    "changed",
    "the installation changed meanwhile",
    "stop what changes it, then: seawall secret adopt --undo",
  ],
};

function failureError(code: MigrationFailure, place: string): MigrationError {
  const [kind, message, hint] = FAILURES[code] ?? FAILURES.disk;
  return new MigrationError(kind, message, { where: place, hint });
}

/** Where OpenClaw keeps its state unless told otherwise, and where older versions did. */
const USUAL = [".openclaw", ".clawdbot", ".moltbot"];

/**
 * Opens the installation in `folder`, or the one there is in the home folder.
 *
 * @throws MigrationError `no-installation`, `several`, `in-use`
 */
export async function openInstallation(
  folder: string | undefined,
  home: string,
  state: StatePaths,
): Promise<Installation> {
  const path = folder === undefined ? findInstallation(home) : resolve(folder);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isDirectory()) {
    const link = stats?.isSymbolicLink() === true;
    throw new MigrationError("no-installation", `"${path}" is ${link ? "a link" : "no folder"}`, {
      hint: link ? "name the folder that it leads to" : "name OpenClaw's state folder",
    });
  }
  const plain = join(realpathSync(dirname(path)), basename(path));
  const user = userOf(plain);
  if (user !== undefined) {
    throw new MigrationError("in-use", `a program has the installation open (${user})`, {
      where: plain,
      hint: "stop the gateway first: openclaw gateway stop",
    });
  }
  const root = process.getuid?.() === 0;
  const tool = await prepareTool(state, PROGRAM);
  return new Installation(plain, tool, root && stats.uid !== 0 ? stats.uid : undefined);
}

function findInstallation(home: string): string {
  const found = USUAL.map((name) => join(home, name)).filter((path) =>
    existsSync(join(path, "openclaw.json")),
  );
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) {
    throw new MigrationError("several", `there are several installations: ${found.join(", ")}`, {
      hint: "name the one that is meant",
    });
  }
  throw new MigrationError("no-installation", `there is no OpenClaw installation in ${home}`, {
    hint: "name OpenClaw's state folder, which holds openclaw.json",
  });
}

/** A process that has a file of the folder open, or works in it, as far as this user may see. */
function userOf(folder: string): string | undefined {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const fds = readdirSync(`/proc/${pid}/fd`);
      const open = fds.some((fd) => {
        try {
          return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(`${folder}/`);
        } catch {
          return false;
        }
      });
      if (open) return `pid ${pid}, ${readFileSync(`/proc/${pid}/comm`, "utf8").trim()}`;
    } catch {
      // Somebody else's, or gone.
    }
  }
  return undefined;
}
