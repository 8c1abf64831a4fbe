import { existsSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  asciiJson,
  checkpointBody,
  checkSigned,
  GENESIS,
  headText,
  readHead,
  readSealedLine,
  rotatedFiles,
  rotatedPath,
  sealLine,
  signatureChecker,
  stamp,
  type CheckpointReason,
  type Head,
  type RecordNames,
  type Signer,
} from "../../record/index.ts";
import { findEnd, findRotatedEnd } from "./findEnd.ts";
import { LineFile } from "./LineFile.ts";

/** As far back as the line that the head names is looked for at a start. */
const HEAD_WINDOW = 8 * 1024 * 1024;

/** What was wrong with the record when a broker opened it; the codes are in docs/audit.md. */
type NoticeCode =
  "head-missing" | "head-damaged" | "behind-head" | "off-head" | "tail-damaged" | "file-damaged";

/**
 * The record's current file as a chain: every line that is appended follows from the one before, across
 * files and processes. What doesn't fit when it is opened is never mended silently: damaged bytes are
 * put aside and a `notice` line says so for good.
 */
export class ChainFile {
  readonly names: RecordNames;
  readonly #signer: Signer | undefined;
  #file: LineFile;
  #seq = 0;
  #hash = GENESIS;
  #first = 1;
  #sinceCheckpoint = 0;

  /**
   * @param publicKey of the signer, to check the head with.
   * @throws NodeJS.ErrnoException when it can't be opened or written.
   */
  constructor(names: RecordNames, signer: Signer | undefined, publicKey: string | undefined) {
    this.names = names;
    this.#signer = signer;
    finishRotation(names);
    this.#file = new LineFile(names.current);
    for (const notice of this.#findPlace(publicKey)) this.#note(...notice);
  }

  /** Of the last line. */
  get seq(): number {
    return this.#seq;
  }

  /** Bytes of the current file. */
  get size(): number {
    return this.#file.size;
  }

  get fd(): number {
    return this.#file.fd;
  }

  /** Lines since the last checkpoint. */
  get sinceCheckpoint(): number {
    return this.#sinceCheckpoint;
  }

  /**
   * Appends lines in one write.
   *
   * @param texts members of one JSON object each, without braces and without a line feed.
   * @throws NodeJS.ErrnoException from write(2), none of the lines being in the file then.
   */
  append(texts: readonly string[]): void {
    if (this.#file.size === 0) this.#first = this.#seq + 1;
    let seq = this.#seq;
    let hash = this.#hash;
    let lines = "";
    for (const text of texts) {
      seq += 1;
      const sealed = sealLine(hash, `{"seq":${seq},${text}`);
      hash = sealed.hash;
      lines += `${sealed.line}\n`;
    }
    this.#file.append(lines);
    this.#seq = seq;
    this.#hash = hash;
    this.#sinceCheckpoint += texts.length;
  }

  /** Appends a signed checkpoint; nothing without a key. @throws NodeJS.ErrnoException from write(2). */
  checkpoint(reason: CheckpointReason): void {
    if (this.#signer === undefined) return;
    if (this.#file.size === 0) this.#first = this.#seq + 1;
    const seq = this.#seq + 1;
    const time = new Date().toISOString();
    const body = checkpointBody(this.#signer, { seq, time, reason, head: this.#hash });
    const { line, hash } = sealLine(this.#hash, body);
    this.#file.append(`${line}\n`);
    this.#seq = seq;
    this.#hash = hash;
    this.#sinceCheckpoint = 0;
  }

  /** What the head file has to say once everything written so far is on the disk. */
  headText(): string {
    return headText(this.#signer, {
      seq: this.#seq,
      hash: this.#hash,
      time: new Date().toISOString(),
      file: basename(this.names.current),
    });
  }

  /** Calls `each` with every line of the current file from byte `offset` on. */
  read(offset: number, each: (line: string) => void): void {
    this.#file.read(offset, each);
  }

  /**
   * Puts the current file aside and begins the next one.
   *
   * @returns the old file, to be synced, closed and compressed; its path comes with it.
   * @throws NodeJS.ErrnoException, the current file being still in use then.
   */
  rotate(): { readonly file: LineFile; readonly path: string } {
    this.checkpoint("rotation");
    const path = rotatedPath(this.names, this.#first, new Date());
    rmSync(this.names.next, { force: true });
    const next = new LineFile(this.names.next);
    try {
      renameSync(this.names.current, path);
      // A crash between the two is mended by `finishRotation` at the next start.
      try {
        renameSync(this.names.next, this.names.current);
      } catch (error) {
        renameSync(path, this.names.current);
        throw error;
      }
    } catch (error) {
      next.close();
      throw error;
    }
    const file = this.#file;
    this.#file = next;
    return { file, path };
  }

  close(): void {
    this.#file.close();
  }

  /** Sets the place in the chain from what is on the disk, and gives what is to be noted about it. */
  #findPlace(publicKey: string | undefined): [NoticeCode, object][] {
    const notices: [NoticeCode, object][] = [];
    const rotated = rotatedFiles(this.names);
    const head = this.#readHead(publicKey, notices);
    const end = findEnd(this.#file.fd, this.#file.size);
    const known = head !== undefined || rotated.length > 0;
    if (this.#file.size > (end?.end ?? 0)) {
      const aside = this.#putAside(end?.end ?? 0);
      // Without anything that says otherwise it is the file of a version that had no chain.
      if (end !== undefined || known) notices.push(["tail-damaged", aside]);
    }
    if (end !== undefined) {
      this.#seq = end.last.seq;
      this.#hash = end.last.hash;
      this.#first = this.#firstSeq() ?? end.last.seq;
    } else {
      const before = rotated.at(-1);
      const last = before === undefined ? undefined : findRotatedEnd(before)?.last;
      if (before !== undefined && last === undefined)
        notices.push(["file-damaged", { file: before.name }]);
      this.#seq = last?.seq ?? Math.max(before?.first ?? 0, 0);
      this.#hash = last?.hash ?? GENESIS;
    }
    if (head === undefined) {
      if (this.#seq > 0 && !notices.some(([code]) => code === "head-damaged"))
        notices.push(["head-missing", {}]);
    } else if (head.seq > this.#seq) {
      notices.push(["behind-head", { found: this.#seq, headSeq: head.seq, headHash: head.hash }]);
      // The gap in the numbers stays, so that the missing lines are missed for ever.
      this.#seq = head.seq;
    } else if (this.#hashAt(head.seq) !== head.hash) {
      notices.push(["off-head", { headSeq: head.seq, headHash: head.hash }]);
    }
    return notices;
  }

  #readHead(publicKey: string | undefined, notices: [NoticeCode, object][]): Head | undefined {
    let text: string;
    try {
      text = readFileSync(this.names.head, "latin1");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    const head = readHead(text);
    const check = signatureChecker(publicKey === undefined ? [] : [publicKey]);
    const { state } = checkSigned("head", text.trimEnd().slice(0, -1), check);
    // One without a signature may be anybody's, who wants the end of the record forgotten.
    if (head === undefined || (publicKey !== undefined && state !== "right")) {
      notices.push(["head-damaged", { signature: state }]);
      return undefined;
    }
    return head;
  }

  /** The hash of a line; also when it is too far back to be looked for: `verify` looks everywhere. */
  #hashAt(seq: number): string | undefined {
    if (seq === this.#seq) return this.#hash;
    if (seq < this.#first) return this.#readableHead();
    let found: string | undefined;
    let least = Infinity;
    this.#file.read(Math.max(0, this.#file.size - HEAD_WINDOW), (line) => {
      const number = Number(/^\{"seq":(\d{1,15}),/.exec(line)?.[1] ?? Infinity);
      least = Math.min(least, number);
      if (number === seq) found = readSealedLine(line)?.hash;
    });
    return least <= seq ? found : this.#readableHead();
  }

  #readableHead(): string | undefined {
    return readHead(readFileSync(this.names.head, "latin1"))?.hash;
  }

  #firstSeq(): number | undefined {
    const bytes = Buffer.alloc(64);
    const got = readSync(this.#file.fd, bytes, 0, bytes.length, 0);
    const seq = /^\{"seq":(\d{1,15}),/.exec(bytes.toString("latin1", 0, got))?.[1];
    return seq === undefined ? undefined : Number(seq);
  }

  /** Keeps what stands after byte `end` in a file of its own and takes it out of this one. */
  #putAside(end: number): { file: string; bytes: number } {
    const bytes = Buffer.alloc(this.#file.size - end);
    readSync(this.#file.fd, bytes, 0, bytes.length, end);
    const { folder, stem } = this.names;
    let file = `${stem}-damaged-${stamp(new Date())}`;
    for (let count = 2; existsSync(join(folder, file)); count += 1)
      file = `${stem}-damaged-${stamp(new Date())}-${count}`;
    writeFileSync(join(folder, file), bytes, { mode: 0o600, flag: "wx", flush: true });
    this.#file.truncate(end);
    return { file, bytes: bytes.length };
  }

  #note(code: NoticeCode, details: object): void {
    const time = new Date().toISOString();
    this.append([asciiJson({ kind: "notice", time, code, ...details }).slice(1, -1)]);
  }
}

/** A rotation that a crash left between its two renames. */
function finishRotation({ current, next }: RecordNames): void {
  if (!existsSync(next)) return;
  if (existsSync(current)) {
    rmSync(next);
    return;
  }
  renameSync(next, current);
}
