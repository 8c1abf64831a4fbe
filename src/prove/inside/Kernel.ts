import { readFileSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import type { Field } from "../Field.ts";

interface Addon {
  address(bytes: Bytes): bigint;
  call(step: BigInt64Array): bigint;
  sequence(steps: BigInt64Array, results: BigInt64Array, seconds: number): bigint;
  bomb(processes: number, seconds: number): bigint;
}

/** Strings and bytes are passed by address; `{ result: n }` is what step n gave. */
export type Argument = number | bigint | string | Bytes | { readonly result: number };
type Bytes = Uint8Array | BigInt64Array;
export type Step = readonly [call: string, ...arguments: Argument[]];

/** What the kernel gave: a number, or the name of its error. */
export type Result = { readonly value: number } | { readonly error: string };

/** What came of steps in a child. */
export interface Sequence {
  /** One for each step that was made; the last may be an error. */
  readonly results: readonly Result[];
  /** The signal that ended the child: SIGSYS is 31, and 14 means that it took too long. */
  readonly signal: number;
  /** The exit status of a child that ended by itself, or of the program it executed. */
  readonly status: number;
  /** Whether the child left a core dump. */
  readonly dumped: boolean;
}

const WORDS = 8;
/** See native/attack.c. */
const SPECIAL: Readonly<Record<string, number>> = { "32-bit getpid": -1, "wait for": -2 };

/** Raw system calls of this process, and of children with a single thread. */
export class Kernel {
  readonly #addon: Addon;
  readonly #numbers: Readonly<Record<string, number>>;

  constructor(field: Pick<Field, "addon" | "syscalls">) {
    const loaded: { exports: unknown } = { exports: {} };
    process.dlopen(loaded, field.addon);
    this.#addon = loaded.exports as Addon;
    this.#numbers = field.syscalls;
  }

  /** Whether this machine has the call at all. */
  has(name: string): boolean {
    return name in SPECIAL || name in this.#numbers;
  }

  /** One call in this process. */
  call(...step: Step): Result {
    const kept: Bytes[] = [];
    return toResult(this.#addon.call(this.#encode(step, kept)));
  }

  /** Steps in a child, up to the first that fails; it ends after the last, with all it made. */
  sequence(steps: readonly Step[], seconds = 5): Sequence {
    const kept: Bytes[] = [];
    const words = new BigInt64Array(steps.length * WORDS);
    for (const [index, step] of steps.entries()) words.set(this.#encode(step, kept), index * WORDS);
    const results = new BigInt64Array(steps.length).fill(UNMADE);
    const status = Number(this.#addon.sequence(words, results, seconds));
    if (status < 0) throw new Error(`no child: ${getSystemErrorName(status)}`);
    return {
      results: [...results].filter((value) => value !== UNMADE).map(toResult),
      signal: status & 0x7f,
      status: (status >> 8) & 0xff,
      dumped: (status & 0x80) !== 0,
    };
  }

  /** Makes up to so many processes that do nothing, ends them, and gives how many there were. */
  bomb(processes: number, seconds: number): Result {
    return toResult(this.#addon.bomb(processes, seconds));
  }

  /** Whether a filter looks at this process's calls (proc_pid_status(5)). */
  get filtered(): boolean {
    return /^Seccomp:\s*2$/m.test(readFileSync("/proc/self/status", "utf8"));
  }

  #encode([name, ...given]: Step, kept: Bytes[]): BigInt64Array {
    const number = SPECIAL[name] ?? this.#numbers[name];
    if (number === undefined) throw new Error(`this machine has no call "${name}"`);
    const words = new BigInt64Array(WORDS);
    words[0] = BigInt(number);
    for (const [index, argument] of given.entries()) {
      if (isBytes(argument) || typeof argument === "string") {
        const bytes = typeof argument === "string" ? Buffer.from(`${argument}\0`) : argument;
        kept.push(bytes);
        words[2 + index] = this.#addon.address(bytes);
      } else if (typeof argument === "object") {
        words[1] = (words[1] ?? 0n) | (1n << BigInt(index));
        words[2 + index] = BigInt(argument.result);
      } else {
        words[2 + index] = BigInt.asIntN(64, BigInt(argument));
      }
    }
    return words;
  }

  /** Where bytes are, for structures that point to others. They must be kept by the caller. */
  address(bytes: Bytes): bigint {
    return this.#addon.address(bytes);
  }
}

function isBytes(argument: Argument): argument is Bytes {
  return argument instanceof Uint8Array || argument instanceof BigInt64Array;
}

/** No call gives this. */
const UNMADE = -(2n ** 62n);

function toResult(value: bigint): Result {
  if (value < 0n && value > -4096n) return { error: getSystemErrorName(Number(value)) };
  return { value: Number(value) };
}
