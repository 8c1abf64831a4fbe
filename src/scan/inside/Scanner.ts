import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readlinkSync,
  readSync,
  writeSync,
} from "node:fs";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { pipeline, Readable } from "node:stream";
import type { Finding, Place, ScanJob, ScanMessage } from "./Job.ts";
import { digestOf, Matcher, type Match } from "./Matcher.ts";
import { readDatabase, SQLITE_MAGIC, type Cell } from "./readDatabase.ts";
import { History } from "./readHistory.ts";
import { reasonOf, walk, type Walked } from "./walk.ts";

const CHUNK = 1024 * 1024;
/** Above this a file is told about rather than read: a sparse one may pretend to any size. */
const LARGEST_FILE = 4 * 2 ** 30;
/** A compressed log of usual size; a bomb stops here. */
const LARGEST_EXPANDED = 64 * 2 ** 20;
/** Cells are looked at together, since a rule takes longer to start than to run. */
const CELLS_TOGETHER = 256 * 1024;

const COMPRESSED = [
  { magic: Buffer.from([0x1f, 0x8b]), expand: createGunzip },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), expand: createZstdDecompress },
] as const;

/** No credential that has a shape of its own is shorter. */
const SHORTEST_SHAPE = 20;
/** So many findings are remembered, to tell each place once. */
const MOST_TOLD = 20_000;

type Item = Exclude<Walked, { kind: "unread" }>;

/** Looks through everything a job names and tells what it finds. */
export class Scanner {
  readonly #job: ScanJob;
  readonly #send: (message: ScanMessage) => void;
  readonly #matcher: Matcher;
  /** Names that hold something, which must not be repeated. */
  readonly #hidden = new Set<string>();
  readonly #told = new Set<string>();
  #files = 0;
  #bytes = 0;

  constructor(job: ScanJob, send: (message: ScanMessage) => void) {
    this.#job = job;
    this.#send = send;
    this.#matcher = new Matcher(job.fingerprints);
  }

  async run(): Promise<void> {
    for (const root of this.#job.roots) {
      try {
        for (const item of walk(root)) await this.#visit(item);
      } catch (error) {
        this.#unread(root.shown, reasonOf(error));
      }
    }
    this.#send({ type: "done", files: this.#files, bytes: this.#bytes });
  }

  async #visit(item: Walked): Promise<void> {
    if (item.kind === "unread") {
      this.#unread(item.shown, item.why);
      return;
    }
    if (this.#job.skip.includes(this.#masked(item.shown))) return;
    try {
      await this.#searchName(item);
      this.#send({ type: "at", path: this.#masked(item.shown) });
      if (item.kind === "folder") return;
      this.#files++;
      if (item.kind === "link") await this.#searchTarget(item);
      else if (item.kind === "file") await this.#searchFile(item);
      else await this.#searchHistory(item);
    } catch (error) {
      this.#unread(item.shown, reasonOf(error));
    }
  }

  async #searchName({ shown }: Item): Promise<void> {
    const name = shown.slice(shown.lastIndexOf("/") + 1);
    const shapes = name.length >= SHORTEST_SHAPE;
    const matches = await this.#matcher.match([Buffer.from(name)], { path: "name", shapes });
    if (matches.length > 0) this.#hidden.add(name);
    this.#tell(matches, () => ({ path: shown, part: "name" }));
  }

  async #searchTarget({ inside, shown }: Item): Promise<void> {
    const target = readlinkSync(inside, "buffer");
    const matches = await this.#matcher.match([target], { path: "target", shapes: true });
    this.#tell(matches, () => ({ path: shown, part: "target" }));
  }

  async #searchFile({ inside, shown }: Item): Promise<void> {
    // O_NONBLOCK: it may have become a FIFO since it was listed.
    const flags = constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const fd = openSync(inside, constants.O_RDONLY | flags);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return;
      if (stats.size > LARGEST_FILE) {
        this.#unread(shown, "it is larger than 4 GB");
        return;
      }
      const head = Buffer.alloc(8192);
      const start = head.subarray(0, readSync(fd, head, 0, head.length, 0));
      const packed = COMPRESSED.find(({ magic }) => start.subarray(0, magic.length).equals(magic));
      const text = !start.includes(0) && packed === undefined;
      const matches = await this.#matcher.match(this.#chunks(fd), { path: shown, shapes: text });
      const place = ({ line }: Match): Place => ({ path: shown, ...(text ? { line } : {}) });
      const redacted = this.#job.redact && text ? this.#redact(inside, fd, matches) : new Set();
      this.#tell(matches, place, (match) => redacted.has(match));
      if (start.subarray(0, SQLITE_MAGIC.length).equals(SQLITE_MAGIC))
        await this.#searchDatabase(inside, shown);
      if (packed !== undefined) await this.#searchExpanded(fd, shown, packed.expand);
    } finally {
      closeSync(fd);
    }
  }

  *#chunks(fd: number): Generator<Buffer> {
    for (let at = 0; ;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const got = readSync(fd, chunk, 0, CHUNK, at);
      if (got === 0) return;
      at += got;
      this.#bytes += got;
      this.#send({ type: "alive" });
      yield chunk.subarray(0, got);
    }
  }

  async #searchExpanded(
    fd: number,
    shown: string,
    expand: (typeof COMPRESSED)[number]["expand"],
  ): Promise<void> {
    let size = 0;
    const expanded = expand();
    // What goes wrong is thrown to whoever reads it; without a callback it would end the process.
    pipeline(Readable.from(this.#chunks(fd)), expanded, () => undefined);
    const chunks = expanded[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    const bounded = async function* (this: Scanner, first: Buffer): AsyncGenerator<Buffer> {
      for (let chunk: Buffer | undefined = first; chunk !== undefined;) {
        size += chunk.length;
        if (size > LARGEST_EXPANDED) return;
        this.#send({ type: "alive" });
        yield chunk;
        chunk = (await chunks.next()).value;
      }
    };
    try {
      const first = (await chunks.next()).value;
      if (first === undefined) return;
      const text = !first.includes(0);
      const matches = await this.#matcher.match(bounded.call(this, first), {
        path: shown,
        shapes: text,
      });
      this.#tell(matches, ({ line }) => ({ path: shown, line }));
    } catch {
      this.#unread(shown, "what it holds compressed is damaged");
      return;
    } finally {
      expanded.destroy();
    }
    if (size > LARGEST_EXPANDED)
      this.#unread(shown, "it expands to more than 64 MB; only the beginning was searched");
  }

  async #searchDatabase(inside: string, shown: string): Promise<void> {
    let cells: Cell[] = [];
    let size = 0;
    const flush = async (): Promise<void> => {
      this.#send({ type: "alive" });
      for (const text of [true, false])
        await this.#searchCells(
          cells.filter((cell) => cell.text === text),
          shown,
          text,
        );
      cells = [];
      size = 0;
    };
    try {
      for (const cell of readDatabase(inside)) {
        cells.push(cell);
        size += cell.bytes.length;
        if (size > CELLS_TOGETHER) await flush();
      }
      await flush();
    } catch (error) {
      await flush();
      this.#unread(shown, error instanceof Error ? error.message : "it can't be read");
    }
  }

  async #searchCells(cells: readonly Cell[], shown: string, text: boolean): Promise<void> {
    const ends: number[] = [];
    let end = 0;
    for (const { bytes } of cells) ends.push((end += bytes.length + 1));
    const between = Buffer.from("\n");
    const whole = Buffer.concat(cells.flatMap(({ bytes }) => [bytes, between]));
    const matches = await this.#matcher.match([whole], { path: "cells", shapes: text });
    this.#tell(matches, ({ start }) => {
      const cell = cells[ends.findIndex((ending) => start < ending)];
      return cell === undefined
        ? { path: shown }
        : { path: shown, table: cell.table, row: cell.row, column: cell.column };
    });
  }

  async #searchHistory({ inside, shown }: Item): Promise<void> {
    const { git } = this.#job;
    if (git === undefined) {
      this.#unread(shown, "git isn't installed, so its history wasn't searched");
      return;
    }
    const history = new History(git, inside);
    const found: { readonly id: string; readonly blob: boolean; readonly match: Match }[] = [];
    try {
      for await (const { id, type, content } of history.objects()) {
        this.#send({ type: "alive" });
        this.#bytes += content.length;
        const shapes = type !== "tree" && !content.subarray(0, 8192).includes(0);
        for (const match of await this.#matcher.match([content], { path: "object", shapes }))
          found.push({ id, blob: type === "blob", match });
      }
      if (history.tooLarge > 0) this.#unread(shown, "its history has objects above 64 MB");
    } catch (error) {
      this.#unread(shown, error instanceof Error ? error.message : "its history can't be read");
    } finally {
      const places = new Map<string, Place>();
      for (const { id, blob, match } of found) {
        const known = places.get(id) ?? {
          path: shown,
          object: id,
          ...(blob ? history.locate(id) : { commit: id }),
        };
        places.set(id, known);
        this.#tell([match], ({ line }) => ({ ...known, line }));
      }
      history.close();
    }
  }

  /**
   * Overwrites what was found with as many other characters, in place: whoever appends to the file
   * goes on doing so, its mode, owner and other names stay, and the old bytes aren't left in a file
   * that was removed. Each place is looked at again first, as the file may have changed.
   *
   * @returns the matches that are gone.
   */
  #redact(inside: string, scanned: number, matches: readonly Match[]): ReadonlySet<Match> {
    const gone = new Set<Match>();
    if (matches.length === 0) return gone;
    const stillThere = (from: number, { start, end, digest }: Match): boolean => {
      const bytes = Buffer.alloc(end - start);
      return (
        readSync(from, bytes, 0, bytes.length, start) === bytes.length && digestOf(bytes) === digest
      );
    };
    const flags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const fd = openSync(inside, flags);
    try {
      const [now, then] = [fstatSync(fd), fstatSync(scanned)];
      if (!now.isFile() || now.ino !== then.ino || now.dev !== then.dev) return gone;
      for (const match of matches) {
        if (!stillThere(fd, match)) continue;
        const filler = fillerOf(match.end - match.start);
        writeSync(fd, filler, 0, filler.length, match.start);
        gone.add(match);
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return gone;
  }

  #tell(
    matches: readonly Match[],
    place: (match: Match) => Place,
    redacted: (match: Match) => boolean = () => false,
  ): void {
    for (const match of matches) {
      const { path, table, column, file, ...rest } = place(match);
      const finding: Finding = {
        path: this.#masked(path),
        ...rest,
        ...(table === undefined ? {} : { table: this.#masked(table) }),
        ...(column === undefined ? {} : { column: this.#masked(column) }),
        ...(file === undefined ? {} : { file: this.#masked(file) }),
        ...(redacted(match) ? { redacted: true } : {}),
        ...match.what,
      };
      const key = JSON.stringify(finding);
      if (this.#told.has(key)) continue;
      if (this.#told.size < MOST_TOLD) this.#told.add(key);
      this.#send({ type: "found", finding });
    }
  }

  #unread(path: string, why: string): void {
    this.#send({ type: "unread", path: this.#masked(path), why });
  }

  /** Names are the bot's to choose; one that holds a value must not be repeated. */
  #masked(path: string): string {
    const holds = (part: string): boolean =>
      this.#hidden.has(part) || this.#matcher.holdsValue(part);
    const masked = path
      .split("/")
      .map((part) => (holds(part) ? "[value]" : part))
      .join("/");
    return this.#matcher.holdsValue(masked) ? "[value]" : masked;
  }
}

const FILLER = "[redacted]";

function fillerOf(length: number): Buffer {
  return Buffer.from(length < FILLER.length ? "*".repeat(length) : FILLER.padEnd(length, "*"));
}
