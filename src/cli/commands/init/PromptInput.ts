import { PassThrough } from "node:stream";
import type { ReadStream } from "node:tty";
import { LINE_END } from "./secretFault.ts";

/** What a terminal puts round something pasted, once it was asked to (xterm, "Bracketed Paste Mode"). */
const PASTE_BEGIN = "\u001b[200~";
const PASTE_END = "\u001b[201~";
const ASK_FOR_MARKS = "\u001b[?2004h";
const NO_MORE_MARKS = "\u001b[?2004l";
/** Nobody pastes more than that into one answer; the rest of it is dropped. */
const LARGEST_PASTE = 128 * 1024;

/**
 * The keys of a terminal, for prompts. What is pasted is one answer whatever stands in it: without
 * this, the second line of a key with several would be the answer to the next question, and shown. Line
 * ends inside of it become {@link LINE_END} and other control characters U+FFFD, which no answer may
 * hold; those behind it are dropped. Ctrl-D is Ctrl-C.
 */
export class PromptInput extends PassThrough {
  /** For prompts, which then ask for single keys. */
  readonly isTTY = true;
  readonly #terminal: ReadStream;
  readonly #output: NodeJS.WritableStream;
  /** What came of a paste so far. */
  #pasted: string | undefined;

  constructor(terminal: ReadStream, output: NodeJS.WritableStream) {
    super();
    this.#terminal = terminal;
    this.#output = output;
    terminal.setEncoding("utf8");
    terminal.setRawMode(true);
    terminal.on("data", this.#take);
    output.write(ASK_FOR_MARKS);
  }

  /** The terminal is in this mode from first to last, so that nothing typed between is shown. */
  setRawMode(): this {
    return this;
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.#terminal.off("data", this.#take);
    this.#terminal.pause();
    try {
      this.#terminal.setRawMode(false);
    } catch {
      // It is gone.
    }
    // And the cursor (DECTCEM), which prompts hide.
    this.#output.write(`${NO_MORE_MARKS}\u001b[?25h`);
  }

  readonly #take = (chunk: string | Buffer): void => {
    let text = chunk.toString();
    while (text !== "") {
      if (this.#pasted !== undefined) {
        const end = text.indexOf(PASTE_END);
        this.#pasted = `${this.#pasted}${end < 0 ? text : text.slice(0, end)}`.slice(
          0,
          LARGEST_PASTE,
        );
        if (end < 0) return;
        this.write(oneAnswer(this.#pasted));
        this.#pasted = undefined;
        text = text.slice(end + PASTE_END.length);
        continue;
      }
      const begin = text.indexOf(PASTE_BEGIN);
      this.#keys(begin < 0 ? text : text.slice(0, begin));
      if (begin < 0) return;
      this.#pasted = "";
      text = text.slice(begin + PASTE_BEGIN.length);
    }
  };

  #keys(text: string): void {
    // Nobody types two lines at once: pasted, where the terminal has no marks.
    const pasted = /[\r\n]+[^\r\n]/.test(text);
    const keys = pasted ? `${oneAnswer(text)}${/[\r\n]$/.test(text) ? "\r" : ""}` : text;
    if (keys !== "") this.write(keys.replaceAll("\u0004", "\u0003"));
  }
}

function oneAnswer(pasted: string): string {
  return pasted
    .replace(/[\r\n]+$/, "")
    .replaceAll(/\r\n|\r|\n/g, LINE_END)
    .replaceAll(/\p{Cc}/gu, "\ufffd");
}
