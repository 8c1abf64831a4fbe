import { openSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { SecretError } from "../secrets/index.ts";
import { UsageError } from "./UsageError.ts";

/** Beyond this it isn't even read; what is a little too large is refused with the reason. */
const LARGEST_INPUT = 128 * 1024;

/**
 * Asks on the terminal itself, whatever standard input is, and shows nothing of the answer.
 *
 * @param otherwise what to do where there is no terminal.
 * @throws UsageError when there is no terminal, or it was left with ^C or ^D.
 */
export async function askHidden(
  question: string,
  otherwise = "run this from a terminal: a passphrase is only ever typed",
): Promise<string> {
  const input = openTerminal(otherwise);
  // Readline echoes what is typed to its output; this one drops it.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true });
  process.stderr.write(question);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const cancelled = (): void =>
      reject(new UsageError("nothing was entered", "nothing was changed"));
    lines.once("line", resolve);
    lines.once("SIGINT", cancelled);
    lines.once("close", cancelled);
    return await promise;
  } finally {
    lines.close();
    input.destroy();
    process.stderr.write("\n");
  }
}

function openTerminal(otherwise: string): ReadStream {
  try {
    return new ReadStream(openSync("/dev/tty", "r"));
  } catch {
    throw new UsageError("there is no terminal to ask on", otherwise);
  }
}

/** All of standard input. @throws SecretError `oversized-value` when it is larger than any secret. */
export async function readAllInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LARGEST_INPUT)
      throw new SecretError("oversized-value", "standard input is too large", {
        hint: "a secret has at most 64 KiB",
      });
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
