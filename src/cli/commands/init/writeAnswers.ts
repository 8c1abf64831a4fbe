import { reasonOf, stageFile, type StagedFile } from "../../../files/index.ts";
import { SecretError, type SecretValue, type WritableStore } from "../../../secrets/index.ts";
import { SetupError } from "./SetupError.ts";

/** Signals that would otherwise end this between one thing and the next. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Writes everything: the file beside its place, then the secrets, then the file into its place. What fails or
 * is stopped on the way is undone. Killed in between, secrets are in their store and nothing else is: the next
 * run finds them there.
 *
 * @param open opens the store, or makes it; only called when there is something to store.
 * @throws SetupError, SecretError; what was there before is there then.
 */
export async function writeAnswers(options: {
  readonly file: string;
  readonly text: string;
  /** Whether the file may be in the place of another. */
  readonly replace: boolean;
  readonly values: ReadonlyMap<string, SecretValue>;
  readonly open: () => Promise<WritableStore>;
}): Promise<void> {
  const { file, text, replace, values, open } = options;
  using stop = catchSignals();
  using staged = onDisk(file, () => stageFile(file, text, 0o644));
  stop.check();
  if (values.size === 0) {
    commit(staged, file, replace);
    return;
  }
  const store = await open();
  const before = await readOld(store, [...values.keys()]);
  stop.check();
  try {
    await store.setAll(values);
    stop.check();
    commit(staged, file, replace);
  } catch (error) {
    await undo(store, before);
    throw error;
  }
}

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

function commit(staged: StagedFile, file: string, replace: boolean): void {
  try {
    staged.commit({ replace });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw alreadyThere(file);
    throw diskError(file, error);
  }
}

export function alreadyThere(file: string): SetupError {
  return new SetupError("exists", `there is already a declaration at "${file}"`, {
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
