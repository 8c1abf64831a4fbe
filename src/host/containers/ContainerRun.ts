import { spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  close,
  constants,
  mkdirSync,
  open,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  statSync,
  write,
} from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { HeardOutput } from "./HeardOutput.ts";
import type { OpenFolder } from "./openWorkspace.ts";
import type { Podman } from "./Podman.ts";
import { podmanArguments, type Runtime } from "./podmanArguments.ts";

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);

/** How long the shell may take to be heard before it is asked once more. */
const ANSWER_MS = 50;
/** Of what Podman itself says, for the log. */
const LONGEST_WORDS = 2000;

export interface RunOptions {
  readonly podman: Podman;
  readonly runtime: Runtime;
  readonly image: string;
  readonly workspace: OpenFolder;
  /** Where the workspace is inside. */
  readonly inside: string;
  readonly script: string;
}

/**
 * One command in a container of its own, which ends with it. The shell inside waits at a FIFO; it is told the
 * command when the folder that was mounted is seen to be the one that was opened, whatever its path leads to by
 * then.
 */
export class ContainerRun {
  readonly child: ChildProcessWithoutNullStreams;
  /** The command's own. */
  readonly output: Readable;
  /** Comes when the shell has its command, or will never get it. */
  readonly begun: Promise<void>;
  /** Exit status as Podman has it; and why the command wasn't told, if it wasn't. Never rejects. */
  readonly ended: Promise<{ readonly code: number; readonly refusal?: string }>;
  readonly #options: RunOptions;
  readonly #heard: HeardOutput;
  readonly #name = `seawall-${randomBytes(8).toString("hex")}`;
  readonly #folder: string;
  #over = false;
  #refusal: string | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    const { podman, runtime, image, workspace, inside } = options;
    const word = randomBytes(16).toString("hex");
    this.#folder = podman.place(this.#name);
    mkdirSync(this.#talk, { recursive: true, mode: 0o700 });
    // Node has no mkfifo(3).
    const made = spawnSync("mkfifo", ["-m", "600", ...this.#fifos]);
    if (made.status !== 0) throw new Error("a FIFO can't be made");
    this.child = podman.start(
      podmanArguments({
        name: this.#name,
        runtime,
        image,
        workspace: workspace.path,
        inside,
        talk: this.#talk,
        word,
        pidFile: this.#pidFile,
        seccomp: podman.seccomp,
      }),
    );
    this.#heard = new HeardOutput(this.child.stdout, word);
    this.output = this.#heard.output;
    // Whoever doesn't read all of it has said why.
    this.child.stdin.on("error", () => undefined);
    this.begun = this.#tell().catch((error: unknown) => {
      this.#refuse(error instanceof Error ? error.message : "unknown failure");
    });
    this.ended = this.#end();
  }

  /** Ends it, whatever it is at. */
  cancel(): void {
    if (this.#over) return;
    this.#refusal ??= "it was given up";
    const gone = this.#options.podman.start(["rm", "--force", "--ignore", "--time=0", this.#name]);
    gone.on("error", () => this.child.kill("SIGKILL"));
    for (const stream of [gone.stdout, gone.stderr]) stream.resume();
    gone.stdin.end();
  }

  get #talk(): string {
    return join(this.#folder, "talk");
  }

  get #fifos(): readonly [ask: string, script: string] {
    return [join(this.#talk, "ask"), join(this.#talk, "script")];
  }

  get #pidFile(): string {
    return join(this.#folder, "pid");
  }

  async #tell(): Promise<void> {
    const { workspace, script } = this.#options;
    const [ask, command] = this.#fifos;
    await this.#write(ask, async (say) => {
      const pid = Number(readFileSync(this.#pidFile, "utf8"));
      // The kernel's own link again: to where this process is, whatever that is called.
      const mounted = statSync(`/proc/${pid}/cwd/.`, { bigint: true });
      if (mounted.dev !== workspace.dev || mounted.ino !== workspace.ino)
        throw new Error("something else was put in the place of the workspace");
      do await say("wait\n");
      while (!(await this.#heard.hears(ANSWER_MS)) && !this.#isOver());
      await say("go\n");
    });
    if (!this.#isOver()) await this.#write(command, (say) => say(`${script}\n`));
  }

  /** Waits until the shell reads there, or for `#end`. */
  async #write(
    path: string,
    work: (say: (text: string) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const fifo = await openFile(path, O_WRONLY);
    try {
      if (!this.#isOver()) await work((text) => writeAll(fifo, text));
    } catch (error) {
      // Who ended before it had read all of it.
      if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
    } finally {
      await closeFile(fifo);
    }
  }

  #isOver(): boolean {
    return this.#over || this.#refusal !== undefined;
  }

  #refuse(why: string): void {
    if (this.#over) return;
    this.#refusal = why;
    this.cancel();
  }

  async #end(): Promise<{ readonly code: number; readonly refusal?: string }> {
    let code: number;
    try {
      const [status] = (await once(this.child, "close")) as [number | null];
      code = status ?? 137;
    } catch (error) {
      this.#refusal ??= error instanceof Error ? error.message.slice(0, LONGEST_WORDS) : "?";
      code = 125;
    }
    this.#over = true;
    // Nobody will come to read any more: lets `#tell` go on.
    const readers = this.#fifos.map((path) => openSync(path, O_RDONLY | O_NONBLOCK));
    await this.begun;
    for (const reader of readers) closeSync(reader);
    rmSync(this.#folder, { recursive: true, force: true });
    this.#options.workspace[Symbol.dispose]();
    return { code, ...(this.#refusal === undefined ? {} : { refusal: this.#refusal }) };
  }
}

async function writeAll(fd: number, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await writeFile(fd, bytes, at);
    at += bytesWritten;
  }
}
