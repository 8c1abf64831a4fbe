const LF = 0x0a;
const CR = 0x0d;
const DATA = Buffer.from("data:");

/** What an event stream's data goes to. */
export interface SseSink {
  /** Some bytes of an event's data. */
  data(bytes: Buffer): void;
  /** The event is over; it had this many bytes of data. */
  event(length: number): void;
}

/**
 * Takes an event stream apart (https://html.spec.whatwg.org/multipage/server-sent-events.html,
 * section 9.2.5) without keeping any of it: data goes on as it comes, however long its line.
 */
export class SseReader {
  readonly #sink: SseSink;
  /** How much of `data:` the line has begun with; -1 once it turned out to be another field. */
  #matched = 0;
  #lineEmpty = true;
  #afterReturn = false;
  #length = 0;

  constructor(sink: SseSink) {
    this.#sink = sink;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte === LF && this.#afterReturn) {
        this.#afterReturn = false;
        at += 1;
        continue;
      }
      this.#afterReturn = false;
      if (byte === LF || byte === CR) {
        this.#endLine();
        this.#afterReturn = byte === CR;
        at += 1;
      } else if (this.#matched >= 0 && this.#matched < DATA.length) {
        this.#matched = byte === DATA[this.#matched] ? this.#matched + 1 : -1;
        this.#lineEmpty = false;
        at += 1;
      } else {
        const end = endOfLine(bytes, at);
        if (this.#matched === DATA.length) {
          this.#length += end - at;
          this.#sink.data(bytes.subarray(at, end));
        }
        at = end;
      }
    }
  }

  /** The stream is over; an event that was cut is looked at all the same. */
  end(): void {
    this.#endEvent();
  }

  #endLine(): void {
    if (this.#lineEmpty) this.#endEvent();
    this.#lineEmpty = true;
    this.#matched = 0;
  }

  #endEvent(): void {
    if (this.#length > 0) this.#sink.event(this.#length);
    this.#length = 0;
  }
}

function endOfLine(bytes: Buffer, from: number): number {
  const feed = bytes.indexOf(LF, from);
  const end = feed < 0 ? bytes.length : feed;
  const back = bytes.subarray(from, end).indexOf(CR);
  return back < 0 ? end : from + back;
}
