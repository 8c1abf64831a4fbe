/**
 * All tests, or those in the files and folders named: `./dev test [PATH…]`.
 *
 * Three files at a time, since many wait more than they work, of which one starts real gateways, or two when no
 * others are left: two cores carry no more. Passing files are one line each, with what they skipped; of failing ones
 * everything is shown.
 */
import { spawn } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { buffer } from "node:stream/consumers";

const ROOT = resolve(import.meta.dirname, "..");
const WORKERS = 3;

interface Ran {
  readonly file: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly counts: ReadonlyMap<string, number>;
}

function testFiles(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const path = resolve(word);
    if (!statSync(path).isDirectory()) return [relative(ROOT, path)];
    return globSync("**/*.test.ts", { cwd: path }).map((file) => relative(ROOT, join(path, file)));
  });
}

/** Its output is shown at once, so that two at work don't mix theirs. */
async function run(file: string): Promise<Ran> {
  const began = performance.now();
  const child = spawn(process.execPath, ["--test-reporter=spec", file], {
    cwd: ROOT,
    // Most of what a file takes is loading the same sources as the one before it.
    env: { ...process.env, NODE_COMPILE_CACHE: join(ROOT, "build/test-cache") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const [out, err] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  const passed = (await ended) === 0;
  running.delete(child);
  const text = out.toString();
  const counts = new Map(
    [...text.matchAll(/^ℹ (tests|pass|fail|skipped) (\d+)$/gm)].map(([, what = "", n]) => [
      what,
      Number(n),
    ]),
  );
  const seconds = (performance.now() - began) / 1000;
  const said = `${passed ? "ok  " : "FAIL"} ${seconds.toFixed(1).padStart(6)} s  ${file}`;
  const skipped = text.split("\n").filter((line) => line.trimStart().startsWith("﹣"));
  process.stdout.write([said, ...(passed ? skipped : [text, err.toString()]), ""].join("\n"));
  return { file, passed, seconds, counts };
}

const words = process.argv.slice(2);
const missing = words.filter((word) => !existsSync(resolve(word)));
const wanted = words.length > 0 ? words : [join(ROOT, "src"), join(ROOT, "test")];
const files = missing.length > 0 ? [] : testFiles(wanted);
const all = [...new Set(files)].toSorted();
// The long ones first, so that none is left alone at the end.
const gateways = all
  .filter((file) => file.startsWith("test/gateway/"))
  .toSorted((one, other) => statSync(join(ROOT, other)).size - statSync(join(ROOT, one)).size);
const others = all.filter((file) => !file.startsWith("test/gateway/"));
const running = new Set<ReturnType<typeof spawn>>();
const results: Ran[] = [];
const stop = new AbortController();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    stop.abort();
    for (const child of running) child.kill(signal);
  });
}

let withGateways = 0;
async function work(): Promise<void> {
  while (!stop.signal.aborted) {
    const most = others.length === 0 ? 2 : 1;
    const gateway = withGateways < most ? gateways.shift() : undefined;
    const file = gateway ?? others.shift();
    if (file === undefined) return;
    if (gateway !== undefined) withGateways += 1;
    results.push(await run(file));
    if (gateway !== undefined) withGateways -= 1;
  }
}

const began = performance.now();
await Promise.all(Array.from({ length: WORKERS }, work));
const total = (what: string): number =>
  results.reduce((sum, { counts }) => sum + (counts.get(what) ?? 0), 0);
const failed = results.filter(({ passed }) => !passed);
const minutes = (performance.now() - began) / 60_000;
process.stdout.write(
  `\n${total("tests")} tests in ${results.length} files: ${total("pass")} passed, ${total("fail")} failed, ` +
    `${total("skipped")} skipped, in ${minutes.toFixed(1)} minutes\n`,
);
for (const { file } of failed) process.stdout.write(`failed: ${file}\n`);
if (stop.signal.aborted) process.stdout.write("stopped\n");
for (const word of missing)
  process.stderr.write(`error: there is no ${word}\n  hint: name files or folders with tests\n`);
process.exitCode = failed.length > 0 || stop.signal.aborted || results.length === 0 ? 1 : 0;
