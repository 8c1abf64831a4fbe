import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import { reasonOf, takeLock, writeFileAtomic } from "../files/index.ts";
import { botHome, botPhantoms, dropBotHome, fillBotHome, type StatePaths } from "../host/index.ts";
import {
  openWritableStore,
  sameSecret,
  SecretError,
  type Vault,
  type WritableLocation,
  type WritableStore,
} from "../secrets/index.ts";
import { composeDeclaration, type Composed } from "./composeDeclaration.ts";
import type { Replacement, SavedFile } from "./inside/Job.ts";
import { MigrationError } from "./MigrationError.ts";
import type { Installation, LeftOut } from "./openInstallation.ts";

/** What an adoption would do, for a person to read. No value is in it. */
export interface Adoption {
  readonly installation: Installation;
  readonly bot: string;
  /** Absolute path of the declaration to be written. */
  readonly file: string;
  readonly composed: Composed;
  readonly left: readonly LeftOut[];
  readonly text: string;
}

/** Where an adoption puts values: the vault that is given anyway, or what opens another store. */
export type AdoptionStore =
  { readonly store: "vault" } | Exclude<WritableLocation, { readonly store: "vault" }>;

/** What is kept of an adoption, so that it can be taken back. No value is in it. */
interface AdoptionRecord {
  readonly folder: string;
  readonly bot: string;
  readonly phase: "begun" | "done";
  /** Secrets that it put into the store. */
  readonly secrets: readonly string[];
  /** Which store. Nobody has to name it again to have them taken out. */
  readonly location: AdoptionStore;
  readonly declaration: { readonly file: string; readonly sha256: string };
}

const FOLDER = "adoptions";

/**
 * Finds out what adopting an installation comes to. Changes nothing.
 *
 * @throws MigrationError, SecretError
 */
export async function planAdoption(options: {
  readonly installation: Installation;
  readonly bot: string;
  readonly file: string;
  readonly state: StatePaths;
  readonly store: Pick<WritableStore, "list" | "declare">;
}): Promise<Adoption> {
  const { installation, bot, state, store } = options;
  const file = resolve(options.file);
  const read = await installation.read();
  const taken = new Set((await store.list()).map(({ name }) => name));
  const composed = composeDeclaration({
    bot,
    config: read.config,
    credentials: read.credentials,
    sameValue: (a, b) => sameSecret(a.value, b.value),
    nameFor: (service) => {
      const chosen = [
        service,
        `${service}-${bot}`,
        ...Array.from({ length: 98 }, (_, n) => `${service}-${n + 2}`),
      ];
      const name = chosen.find((each) => !taken.has(each));
      if (name === undefined)
        throw new MigrationError("exists", `every name for "${service}" is taken`);
      taken.add(name);
      return name;
    },
    declare: (name) => store.declare(name),
  });
  const text = `// Written by: seawall secret adopt\n${JSON.stringify(composed.declaration, null, 2)}\n`;
  const left = [
    ...read.left,
    ...composed.left,
    ...composed.workspaces
      .filter(({ from }) => !isInside(installation.folder, from))
      .map(({ from, to }) => ({
        place: `workspace ${JSON.stringify(from)}`,
        why: "it lies outside of the installation, so it isn't copied and stays as it is",
        hint: `copy what the bot needs of it into its folder: ${join(botHome(state, bot), to)}`,
      })),
  ];
  if (composed.moves.length === 0)
    throw new MigrationError("nothing", "there is no credential to take over", {
      where: installation.folder,
    });
  const begun = readRecord(state, installation.folder);
  if (begun?.phase === "done")
    throw new MigrationError("exists", "this installation has been adopted already", {
      where: installation.folder,
      hint: "take it back first: seawall secret adopt --undo",
    });
  if (begun === undefined && existsSync(file))
    throw new MigrationError("exists", `there is already a declaration at "${file}"`, {
      hint: "name another file with --file, and join the two by hand",
    });
  if (begun === undefined && existsSync(botHome(state, bot)))
    throw new MigrationError("exists", `there is already a bot "${bot}"`, {
      hint: "choose another name with --bot",
    });
  return { installation, bot, file, composed, left, text };
}

/**
 * Does it: backup, store, phantoms in the installation, the bot's folder, the declaration, in this order.
 * Until the declaration is there the record says `begun`, and the next `adopt` or `--undo` puts all of
 * it back first.
 *
 * @throws MigrationError, SecretError, HostError; the installation is as it was then.
 */
export async function adopt(
  adoption: Adoption,
  options: {
    readonly state: StatePaths;
    readonly location: AdoptionStore;
    readonly store: WritableStore;
    /** Keeps the backup, wherever the values go. */
    readonly vault: Vault;
  },
): Promise<{ readonly changed: readonly string[]; readonly backup: string }> {
  const { installation, composed, bot, file, text } = adoption;
  const { state, location, store, vault } = options;
  onDisk("the installation", () => accessSync(installation.folder, constants.W_OK));
  return locked(state, async () => {
    const phantoms = botPhantoms(state, composed.plan);
    const replacements = composed.moves.flatMap((move): Replacement[] =>
      move.places.map((place) => ({
        place,
        phantom:
          (move.granted ? phantoms.get(move.service) : undefined) ??
          `moved-${randomBytes(20).toString("hex")}`,
      })),
    );
    const files = await installation.collect(replacements);
    const folder = recordFolder(state, installation.folder);
    const record: AdoptionRecord = {
      folder: installation.folder,
      bot,
      phase: "begun",
      secrets: composed.moves.map(({ secret }) => secret),
      location,
      declaration: { file, sha256: sha256(text) },
    };
    const backup = join(folder, "backup.age");
    const plain = Buffer.from(JSON.stringify(files));
    const sealed = await vault.seal(plain);
    plain.fill(0);
    onDisk("the backup", () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileAtomic(backup, sealed, 0o600);
      writeRecord(folder, record);
    });
    try {
      await store.setAll(
        new Map(composed.moves.map(({ secret, credential }) => [secret, credential.value])),
      );
      const changed = await installation.replace(replacements);
      fillBotHome(state, bot, copiesOf(adoption));
      onDisk("the declaration", () => {
        writeFileAtomic(file, text, 0o644);
        writeRecord(folder, { ...record, phase: "done" });
      });
      return { changed, backup };
    } catch (error) {
      // If that fails as well, the record is still there for --undo.
      await undo(record, { installation, state, vault }).catch(() => undefined);
      throw error;
    }
  });
}

/** Workspaces and what was said, from the installation as it is now: with phantoms. */
function copiesOf({ installation, composed }: Adoption): { from: string; to: string }[] {
  const { folder } = installation;
  const inside = composed.workspaces.filter(({ from }) => isInside(folder, from));
  return [
    ...inside.map(({ from, to }) => ({ from: absolute(from), to })),
    ...(inside.some(({ to }) => to === "workspace")
      ? []
      : [{ from: join(folder, "workspace"), to: "workspace" }]),
    { from: join(folder, "agents"), to: "state/agents" },
    { from: join(folder, "memory"), to: "state/memory" },
  ];
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, absolute(path));
  return way !== ".." && !way.startsWith("../");
}

/** OpenClaw's configuration may name folders by `~`. */
function absolute(path: string): string {
  return resolve(path.replace(/^~(?=\/|$)/, homedir()));
}

/**
 * Takes back an adoption, finished or not: the installation's files are as they were, what it put into
 * the store, its declaration (unless it was changed) and the bot's folder (unless it runs) are gone.
 *
 * @returns what was left, in words.
 * @throws MigrationError `nothing`
 */
export async function undoAdoption(options: {
  readonly installation: Installation;
  readonly state: StatePaths;
  readonly vault: Vault;
}): Promise<readonly string[]> {
  const { state, installation } = options;
  return locked(state, async () => {
    const record = readRecord(state, installation.folder);
    if (record === undefined)
      throw new MigrationError("nothing", "this installation has not been adopted", {
        where: installation.folder,
      });
    return undo(record, options);
  });
}

/** Whether an adoption of this folder was begun and not finished. */
export function isHalfDone(state: StatePaths, folder: string): boolean {
  return readRecord(state, folder)?.phase === "begun";
}

async function undo(
  record: AdoptionRecord,
  { installation, state, vault }: Parameters<typeof undoAdoption>[0],
): Promise<string[]> {
  const { location } = record;
  const store = location.store === "vault" ? vault : await openWritableStore(location);
  const folder = recordFolder(state, record.folder);
  const backup = join(folder, "backup.age");
  const plain = await vault.unseal(readFileSync(backup), backup);
  const files = JSON.parse(plain.toString("utf8")) as SavedFile[];
  plain.fill(0);
  await installation.restore(files);
  const left: string[] = [];
  for (const name of record.secrets) {
    await store.rm(name).catch((error: unknown) => {
      if (!(error instanceof SecretError && error.code === "missing")) throw error;
    });
  }
  const { file, sha256: written } = record.declaration;
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats !== undefined) {
    if (stats.isFile() && sha256(readFileSync(file, "utf8")) === written) rmSync(file);
    else left.push(`${file}: it was changed since`);
  }
  if (!dropBotHome(state, record.bot))
    left.push(`the folder of bot "${record.bot}": it is deployed`);
  rmSync(folder, { recursive: true, force: true });
  return left;
}

function recordFolder(state: StatePaths, folder: string): string {
  return join(state.root, FOLDER, sha256(folder).slice(0, 16));
}

function readRecord(state: StatePaths, folder: string): AdoptionRecord | undefined {
  const file = join(recordFolder(state, folder), "record.json");
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as AdoptionRecord;
}

function writeRecord(folder: string, record: AdoptionRecord): void {
  writeFileAtomic(join(folder, "record.json"), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

async function locked<T>(state: StatePaths, work: () => Promise<T>): Promise<T> {
  onDisk("the state folder", () =>
    mkdirSync(join(state.root, FOLDER), { recursive: true, mode: 0o700 }),
  );
  using lock = await takeLock(join(state.root, FOLDER, "lock"), 5000);
  if (lock === undefined)
    throw new MigrationError("in-use", "another adoption is under way", { hint: "wait for it" });
  return await work();
}

function onDisk(what: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new MigrationError(
      "disk",
      `can't write ${what}: ${reasonOf(cause) ?? "the system refuses"}`,
      { cause, hint: "make room or give the right to write, then try again" },
    );
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
