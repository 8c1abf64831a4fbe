import { Writable } from "node:stream";
import type { WriteStream } from "node:tty";

/**
 * A terminal as prompts write to it: with a size, which a serial line or a container's terminal doesn't have,
 * and where prompts would break every letter into a line of its own.
 */
export class PromptOutput extends Writable {
  readonly isTTY = true;
  readonly #terminal: WriteStream;
  readonly #resized = (): void => void this.emit("resize");

  constructor(terminal: WriteStream) {
    super({
      write: (chunk: Buffer, _encoding, done) => {
        // Whether it could be written is told by the terminal's own error.
        terminal.write(chunk, () => done());
      },
    });
    this.#terminal = terminal;
    terminal.on("resize", this.#resized);
  }

  get columns(): number {
    return this.#terminal.columns || 80;
  }

  get rows(): number {
    return this.#terminal.rows || 24;
  }

  close(): void {
    this.#terminal.off("resize", this.#resized);
  }
}
