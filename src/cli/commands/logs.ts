import { closeSync, existsSync, openSync, readSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import {
  currentGeneration,
  hasSystemDeployment,
  HostError,
  readGeneration,
} from "../../host/index.ts";
import type { Call, Command } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

const DEFAULT_LINES = 50;
const CHUNK = 64 * 1024;

export const logs: Command = {
  name: "logs",
  usage: "[-f] [-n LINES] [BOT]",
  summary: "what a bot, the broker or the supervisor has written",
  help: "Without BOT: every bot of the generation in force, each line with its bot before it.",
  options: {
    follow: { type: "boolean", short: "f", help: "go on with what is written from now on" },
    lines: {
      type: "string",
      short: "n",
      value: "LINES",
      help: `how many lines of each, ${DEFAULT_LINES} if not given`,
    },
    broker: { type: "boolean", help: "the broker's own messages" },
    supervisor: { type: "boolean", help: "the supervisor's own messages" },
  },
  words: { least: 0, most: 1 },
  run: async (call) => {
    const lines = Number(call.value("lines") ?? DEFAULT_LINES);
    if (!Number.isSafeInteger(lines) || lines < 0) {
      throw new UsageError("that is no number of lines", "as in: seawall logs -n 100");
    }
    const names = chosen(call);
    const width = Math.max(0, ...names.map((name) => name.length));
    const tails = names.map((name) => {
      const prefix = names.length > 1 ? `${name.padEnd(width)} | ` : "";
      return new Tail(join(call.paths.logs, `${name}.log`), (line) =>
        call.json
          ? process.stdout.write(`${JSON.stringify({ name, line })}\n`)
          : call.output.line(`${prefix}${line}`),
      );
    });
    for (const tail of tails) tail.last(lines);
    if (!call.flag("follow")) return 0;
    await follow(call.paths.logs, tails);
    return 0;
  },
};

function chosen({ words: [bot], flag, paths }: Call): string[] {
  const own = (["broker", "supervisor"] as const).filter((name) => flag(name));
  if (own.length > 0) return own;
  const number = currentGeneration(paths);
  const known =
    number === undefined ? [] : readGeneration(paths, number).plan.bots.map((b) => b.name);
  if (number === undefined && hasSystemDeployment(paths))
    throw new HostError("not-running", "what bots write under systemd is in the journal", {
      hint: "look at: journalctl -u 'seawall-gateway-*', or -u seawall-broker-BOT, with -f to go on",
    });
  if (bot === undefined) {
    if (number !== undefined) return known;
    throw new HostError("not-running", "nothing has run here yet", {
      hint: "start it with: seawall up; why a start failed is in: seawall logs --supervisor",
    });
  }
  // A bot whose first start failed has a log, but no generation in force.
  if (
    known.includes(bot) ||
    (/^[a-z0-9-]+$/.test(bot) && existsSync(join(paths.logs, `${bot}.log`)))
  )
    return [bot];
  throw new UsageError(
    `there is no bot "${bot.slice(0, 40)}"`,
    `there are: ${known.join(", ") || "none"}`,
  );
}

/** Until the process is interrupted. */
async function follow(folder: string, tails: readonly Tail[]): Promise<void> {
  const watcher = watch(folder, () => {
    for (const tail of tails) tail.more();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once("SIGINT", resolve);
  process.once("SIGTERM", resolve);
  process.stdout.once("error", resolve);
  await promise;
  watcher.close();
}

/** Reads a log from some line on, also across its rotation. */
class Tail {
  readonly #path: string;
  readonly #onLine: (line: string) => void;
  #offset = 0;
  #inode = 0;
  #rest = Buffer.alloc(0);

  constructor(path: string, onLine: (line: string) => void) {
    this.#path = path;
    this.#onLine = onLine;
  }

  /** The last `count` lines that are there now. */
  last(count: number): void {
    const lines: string[] = [];
    this.#read((line) => {
      lines.push(line);
      if (lines.length > count) lines.shift();
    });
    for (const line of lines) this.#onLine(line);
  }

  /** What has been written since. */
  more(): void {
    this.#read(this.#onLine);
  }

  #read(onLine: (line: string) => void): void {
    let fd: number;
    try {
      const { ino, size } = statSync(this.#path);
      if (ino !== this.#inode || size < this.#offset) this.#offset = 0;
      this.#inode = ino;
      fd = openSync(this.#path, "r");
    } catch {
      return;
    }
    try {
      const chunk = Buffer.alloc(CHUNK);
      for (let got = readSync(fd, chunk, 0, CHUNK, this.#offset); got > 0;) {
        this.#offset += got;
        this.#take(Buffer.concat([this.#rest, chunk.subarray(0, got)]), onLine);
        got = readSync(fd, chunk, 0, CHUNK, this.#offset);
      }
    } finally {
      closeSync(fd);
    }
  }

  #take(bytes: Buffer, onLine: (line: string) => void): void {
    let start = 0;
    for (let end = bytes.indexOf(10, start); end >= 0; end = bytes.indexOf(10, start)) {
      onLine(bytes.toString("utf8", start, end));
      start = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
  }
}
