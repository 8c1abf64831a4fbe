import { PassThrough, type Readable } from "node:stream";

/**
 * A command's output, without what the shell says before the command.
 *
 * @param word what each line of that begins with; the last of them goes on with " end".
 */
export class HeardOutput {
  /** From after that line on; ends with the stream. */
  readonly output = new PassThrough();
  #before = Buffer.alloc(0);
  #heard = false;
  #waiting: (() => void) | undefined;

  constructor(stream: Readable, word: string) {
    const last = Buffer.from(`${word} end\n`);
    const take = (part: Buffer): void => {
      this.#heard = true;
      this.#waiting?.();
      this.#before = Buffer.concat([this.#before, part]);
      const at = this.#before.indexOf(last);
      if (at < 0) return;
      stream.off("data", take);
      this.output.write(this.#before.subarray(at + last.length));
      stream.pipe(this.output);
    };
    stream.on("data", take);
    stream.once("end", () => this.output.end());
  }

  /** Waits for anything at all. @returns whether something came within `milliseconds`. */
  async hears(milliseconds: number): Promise<boolean> {
    if (this.#heard) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#waiting = resolve;
    await promise;
    clearTimeout(timer);
    return this.#heard;
  }
}
