import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fuzzer } from "./Fuzzer.ts";
import { mutated } from "./mutate.ts";
import { Random } from "./Random.ts";
import type { Watch } from "./watch.ts";

/** Bytes that broke a promise once; each is tried again by every test run. */
export const FOUND = join(import.meta.dirname, "found");

export interface FuzzReport {
  readonly name: string;
  readonly seed: number;
  readonly runs: number;
  /** The first input that broke the promise, and how. */
  readonly finding?: { readonly file: string; readonly error: unknown };
}

/**
 * Tries inputs until the time is up or one breaks the promise; that one is made smaller and kept in
 * `found/` as `<fuzzer>-<hash>`.
 */
export async function runFuzzer(
  fuzzer: Fuzzer,
  seed: number,
  milliseconds: number,
  watch?: Watch,
): Promise<FuzzReport> {
  const random = new Random(seed);
  const until = performance.now() + milliseconds;
  let runs = 0;
  while (performance.now() < until) {
    const bytes = mutated(fuzzer, random);
    runs += 1;
    watch?.tries(bytes);
    if ((await tryOn(fuzzer, bytes)) === undefined) continue;
    const small = await shrunk(fuzzer, bytes);
    return {
      name: fuzzer.name,
      seed,
      runs,
      finding: { file: keep(fuzzer, small), error: await tryOn(fuzzer, small) },
    };
  }
  return { name: fuzzer.name, seed, runs };
}

/** What a check throws, if it does. */
export async function tryOn(fuzzer: Fuzzer, bytes: Buffer): Promise<unknown> {
  try {
    await fuzzer.check(bytes, Random.of(bytes));
    return undefined;
  } catch (error) {
    return error ?? new Error("nothing was thrown");
  }
}

/** Findings kept for a fuzzer. */
export function kept(fuzzer: Fuzzer): { readonly file: string; readonly bytes: Buffer }[] {
  return readdirSync(FOUND)
    .filter((file) => file.startsWith(`${fuzzer.name}-`))
    .map((file) => ({ file, bytes: readFileSync(join(FOUND, file)) }));
}

/** Takes pieces away as long as it stays broken. */
async function shrunk(fuzzer: Fuzzer, bytes: Buffer): Promise<Buffer> {
  let small = bytes;
  for (
    let size = Math.ceil(small.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < small.length;) {
      const less = Buffer.concat([small.subarray(0, at), small.subarray(at + size)]);
      if ((await tryOn(fuzzer, less)) === undefined) at += size;
      else small = less;
    }
  }
  return small;
}

function keep(fuzzer: Fuzzer, bytes: Buffer): string {
  mkdirSync(FOUND, { recursive: true });
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const file = join(FOUND, `${fuzzer.name}-${hash}`);
  writeFileSync(file, bytes);
  return file;
}
