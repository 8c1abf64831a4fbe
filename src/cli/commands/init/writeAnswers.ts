import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { basename } from "node:path";
import { reasonOf, stageFile, type StagedFile } from "../../../files/index.ts";
import { SecretError, type SecretValue, type WritableStore } from "../../../secrets/index.ts";
import { SetupError } from "./SetupError.ts";

/** Signals that would otherwise end this between one thing and the next. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A file that is to be made. */
export interface NewFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/**
 * Writes everything: the files beside their places, then the secrets, then the files into their places, the
 * last of which makes the others count. What fails or is stopped on the way is undone. Killed in between,
 * secrets and files before the last are where they belong and nothing uses them: the next run finds them there.
 *
 * @param folder made for the files where it isn't there, in one that is.
 * @param replace whether the last file may be in the place of another.
 * @param open opens the store, or makes it; only called when there is something to store.
 * @throws SetupError, SecretError; what was there before is there then.
 */
export async function writeAnswers(options: {
  readonly files: readonly NewFile[];
  readonly folder?: string;
  readonly replace: boolean;
  readonly values: ReadonlyMap<string, SecretValue>;
  readonly open: () => Promise<WritableStore>;
}): Promise<void> {
  const { files, folder, replace, values, open } = options;
  using stop = catchSignals();
  using _folder = folder === undefined ? undefined : makeFolder(folder);
  using staging = new DisposableStack();
  const staged = files.map((file): Staged => {
    const held = staging.use(onDisk(file.path, () => stageFile(file.path, file.text, 0o644)));
    return { ...file, held };
  });
  stop.check();
  if (values.size === 0) {
    commit(staged, replace);
    return;
  }
  const store = await open();
  const before = await readOld(store, [...values.keys()]);
  stop.check();
  try {
    await store.setAll(values);
    stop.check();
    commit(staged, replace);
  } catch (error) {
    await undo(store, before);
    throw error;
  }
}

/** It is gone again when nothing has come to lie in it. */
function makeFolder(path: string): Disposable | undefined {
  if (existsSync(path)) return undefined;
  onDisk(path, () => mkdirSync(path));
  return {
    [Symbol.dispose]: () => {
      if (readdirSync(path).length === 0) rmdirSync(path);
    },
  };
}

type Staged = NewFile & { readonly held: StagedFile };

/** What the store has under these names, as far as it can be read. */
async function readOld(
  store: WritableStore,
  names: readonly string[],
): Promise<ReadonlyMap<string, SecretValue | undefined>> {
  const old = new Map<string, SecretValue | undefined>();
  const there = new Set((await store.list()).map(({ name }) => name));
  for (const name of names)
    old.set(name, there.has(name) ? await store.read(name).catch(() => undefined) : undefined);
  return old;
}

async function undo(
  store: WritableStore,
  before: ReadonlyMap<string, SecretValue | undefined>,
): Promise<void> {
  for (const [name, value] of before) {
    const put = value === undefined ? store.rm(name) : store.set(name, value);
    await put.catch((error: unknown) => {
      if (!(error instanceof SecretError)) throw error;
    });
  }
}

/** Puts each in its place, or none. */
function commit(staged: readonly Staged[], replace: boolean): void {
  using made = new DisposableStack();
  for (const [at, file] of staged.entries()) {
    const last = at === staged.length - 1;
    try {
      file.held.commit({ replace: replace && last });
      if (!last) made.defer(() => rmSync(file.path, { force: true }));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw diskError(file.path, error);
      if (last || !holds(file.path, file.text)) throw alreadyThere(file.path);
    }
  }
  made.move();
}

/** Whether a file says this already, as one does that a run left which was killed. */
function holds(path: string, text: string): boolean {
  return lstatSync(path).isFile() && readFileSync(path).equals(Buffer.from(text));
}

export function alreadyThere(file: string): SetupError {
  return basename(file).endsWith(".nix")
    ? new SetupError("exists", `there is already a "${file}", and it isn't replaced`, {
        hint: "name another folder, or add the module to what is there: docs/nixos.md",
      })
    : new SetupError("exists", `there is already a declaration at "${file}"`, {
        hint: "name another file, or replace it with --force",
      });
}

/** @throws SetupError `disk` */
export function onDisk<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskError(file, error);
  }
}

function diskError(file: string, cause: unknown): SetupError {
  const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
  const reason = missing ? "its folder isn't there" : (reasonOf(cause) ?? "the system refuses");
  return new SetupError("disk", `can't write "${file}": ${reason}`, {
    cause,
    hint: "nothing was changed; name another place, or make room or access there",
  });
}

/** A signal waits for the next look, where nothing is half done; a second one ends the process at once. */
function catchSignals(): Disposable & { readonly check: () => void } {
  let caught: NodeJS.Signals | undefined;
  const stop = (): void => {
    for (const signal of ENDING) process.off(signal, take);
  };
  const take = (signal: NodeJS.Signals): void => {
    caught = signal;
    stop();
  };
  for (const signal of ENDING) process.on(signal, take);
  return {
    check: () => {
      if (caught === undefined) return;
      throw new SetupError("cancelled", `stopped by ${caught}`, { hint: "nothing was changed" });
    },
    [Symbol.dispose]: stop,
  };
}
