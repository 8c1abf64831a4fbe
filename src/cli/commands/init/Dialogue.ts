import type { ReadStream } from "node:tty";
import type * as Prompts from "@clack/prompts";
import { PromptInput } from "./PromptInput.ts";
import { PromptOutput } from "./PromptOutput.ts";
import { SetupError } from "./SetupError.ts";

/** One thing to be answered, in a dialogue or by a flag. */
export interface Question {
  /** The flag that answers it, as `--bot`. */
  readonly flag: string;
  readonly ask: string;
  /** What it is if nobody says; absent where somebody has to. */
  readonly usual?: string;
  /** Why an answer isn't one, without repeating it. */
  readonly check: (answer: string) => string | undefined;
}

export interface Choice extends Question {
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

/** Signals that end a dialogue; nothing has been written yet then. */
const ENDING = ["SIGTERM", "SIGHUP", "SIGINT"] as const;

/**
 * Asks a person at the terminal. Prompts are written to standard error, so that standard output has the
 * result only. However it ends, the terminal is as it was.
 */
export class Dialogue implements AsyncDisposable {
  readonly #prompts: typeof Prompts;
  readonly #input: PromptInput;
  readonly #output = new PromptOutput(process.stderr);
  readonly #stop = new AbortController();
  readonly #terminal: ReadStream;
  #closed = false;

  private constructor(prompts: typeof Prompts, terminal: ReadStream) {
    this.#prompts = prompts;
    this.#terminal = terminal;
    this.#input = new PromptInput(terminal, process.stderr);
    terminal.on("end", this.#hungUp).on("close", this.#hungUp).on("error", this.#hungUp);
    // A terminal that went away can't be written to either; that it did is found by reading.
    process.stderr.on("error", this.#hungUp);
    for (const signal of ENDING) process.on(signal, this.#end);
  }

  /** Whether there is somebody to ask. */
  static get possible(): boolean {
    return process.stdin.isTTY && process.stderr.isTTY;
  }

  /** Loads the prompts; nothing else does. */
  static async open(): Promise<Dialogue> {
    return new Dialogue(await import("@clack/prompts"), process.stdin);
  }

  async text({ ask, usual, check }: Question): Promise<string> {
    const answer = await this.#prompts.text({
      ...this.#common(ask),
      ...(usual === undefined ? {} : { defaultValue: usual, placeholder: usual }),
      validate: (typed) => check((typed ?? "").trim() || (usual ?? "")),
    });
    return this.#given(answer).trim();
  }

  async choose({ ask, options, usual }: Choice): Promise<string> {
    const answer = await this.#prompts.select({
      ...this.#common(ask),
      options: [...options],
      maxItems: 12,
      ...(usual === undefined ? {} : { initialValue: usual }),
    });
    return this.#given(answer);
  }

  async chooseSome({ ask, options }: Choice): Promise<readonly string[]> {
    const answer = await this.#prompts.multiselect({
      ...this.#common(`${ask} (space marks one, Enter goes on)`),
      options: [...options],
      maxItems: 12,
      required: false,
    });
    return this.#given(answer);
  }

  /** Shows nothing of what is typed, not even how long it is. */
  async hidden(ask: string, check: (answer: string) => string | undefined): Promise<string> {
    const answer = await this.#prompts.password({
      ...this.#common(`${ask} (not shown)`),
      mask: "",
      clearOnError: true,
      validate: (typed) => check(typed ?? ""),
    });
    return this.#given(answer);
  }

  async agree(ask: string): Promise<boolean> {
    const answer = await this.#prompts.confirm({ ...this.#common(ask), initialValue: true });
    return this.#given(answer);
  }

  /** Gives the terminal back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#input.close();
    this.#output.close();
    this.#terminal.off("end", this.#hungUp).off("close", this.#hungUp);
    for (const signal of ENDING) process.off(signal, this.#end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #common(message: string) {
    const streams = { input: this.#input, output: this.#output, signal: this.#stop.signal };
    return { message, withGuide: false, ...streams };
  }

  /** @throws SetupError `cancelled` when the question was left instead of answered */
  #given<T>(answer: T): Exclude<T, symbol> {
    if (!this.#prompts.isCancel(answer) && !this.#stop.signal.aborted)
      return answer as Exclude<T, symbol>;
    this.close();
    throw new SetupError("cancelled", "stopped before the last answer", {
      hint: "nothing was written; type it again when you have what it asks for",
    });
  }

  readonly #hungUp = (): void => this.#stop.abort();

  /** Ends as whoever sent the signal expects. */
  readonly #end = (signal: NodeJS.Signals): void => {
    this.close();
    process.kill(process.pid, signal);
  };
}
