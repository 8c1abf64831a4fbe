import { readFileSync } from "node:fs";
import { reasonOf } from "../../../files/index.ts";
import { readAllInput } from "../../askHidden.ts";
import type { Call } from "../../Command.ts";
import { UsageError } from "../../UsageError.ts";

/** Options of the form `NAME=VALUE`, that may be given several times. */
const PAIRS = ["set", "secret-file", "secret-at"] as const;

export type PairFlag = (typeof PAIRS)[number];

/** What the flags say, and which of it nobody has asked for. */
export class Flags {
  readonly #call: Call;
  readonly #pairs: ReadonlyMap<PairFlag, ReadonlyMap<string, string>>;
  readonly #used = new Set<string>();

  /** @throws UsageError for a pair that is none or is said twice */
  constructor(call: Call) {
    this.#call = call;
    this.#pairs = new Map(PAIRS.map((flag) => [flag, readPairs(flag, call.values(flag))]));
  }

  value(name: string): string | undefined {
    return this.#call.value(name);
  }

  flag(name: string): boolean {
    return this.#call.flag(name);
  }

  pair(flag: PairFlag, name: string): string | undefined {
    this.#used.add(`${flag} ${name}`);
    return this.#pairs.get(flag)?.get(name);
  }

  /** Pairs for what isn't asked for, as `--set gitea.url`. */
  unused(): readonly string[] {
    return PAIRS.flatMap((flag) =>
      [...(this.#pairs.get(flag)?.keys() ?? [])]
        .filter((name) => !this.#used.has(`${flag} ${name}`))
        .map((name) => `--${flag} ${name}`),
    );
  }

  /**
   * What the file holds that is to be the secret `name`, or standard input where it says `-`.
   *
   * @returns undefined when no flag names one.
   * @throws UsageError when it can't be read; what was given as its name is not repeated, since it may be the value
   */
  async readSecret(name: string): Promise<Buffer | undefined> {
    const file = this.pair("secret-file", name);
    if (file === undefined) return undefined;
    if (file === "-") return readAllInput();
    try {
      return readFileSync(file);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      const reason = missing ? "there is no such file" : (reasonOf(error) ?? "it is no file");
      throw new UsageError(
        `the file for the secret "${name}" can't be read: ${reason}`,
        "name a file, or - for standard input; never the value itself, which would stay in the shell's history",
      );
    }
  }
}

function readPairs(flag: PairFlag, given: readonly string[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of given) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0));
    if (!/^[a-z][a-z0-9-]{0,31}(?:\.[a-zA-Z]{1,20})?$/.test(name))
      throw new UsageError(
        `--${flag} is given without a name and =`,
        flag === "set" ? "as --set mattermost.url=https://…" : `as --${flag} telegram=…`,
      );
    if (pairs.has(name)) throw new UsageError(`--${flag} ${name} is given twice`, "leave one out");
    pairs.set(name, pair.slice(at + 1));
  }
  const inputs = [...pairs.values()].filter((value) => flag === "secret-file" && value === "-");
  if (inputs.length > 1)
    throw new UsageError("standard input can be only one secret", "name files for the others");
  return pairs;
}
