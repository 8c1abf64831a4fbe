import { readdirSync, readFileSync } from "node:fs";
import { GENESIS, hashBody, readSealedLine } from "../chain.ts";
import {
  checkSigned,
  keyId,
  readHead,
  signatureChecker,
  type CheckSignature,
  type Head,
} from "../checkpoint.ts";
import { RecordError } from "../RecordError.ts";
import { recordNames, type RecordNames } from "../recordFiles.ts";
import { openRecord, readLines, type RecordFile } from "./readLines.ts";

/** What is wrong with a record. */
export type FindingCode =
  /** Bytes that are no line of a record. */
  | "malformed"
  /** A line doesn't hash to what it says after the line before it. */
  | "changed"
  | "removed"
  | "moved"
  | "repeated"
  /** The record ends before the line that its head names. */
  | "truncated"
  | "bad-signature"
  | "unknown-key"
  /** The head is gone, no head, or names another hash than the line has. */
  | "head"
  /** A broker found this at a start and wrote it down. */
  | "noticed"
  | "unreadable";

export interface Finding {
  readonly code: FindingCode;
  readonly message: string;
  readonly file?: string;
  /** In that file, from 1. */
  readonly line?: number;
  readonly seq?: number;
}

export interface Verification {
  readonly ok: boolean;
  readonly lines: number;
  readonly checkpoints: number;
  /** Numbers of the first and last line; absent in an empty record. */
  readonly first?: number;
  readonly last?: number;
  readonly hash: string;
  /** The head's line: everything up to it was on the disk, and with a key signed. */
  readonly head?: Head;
  readonly signed: boolean;
  readonly keys: readonly { readonly key: string; readonly id: string }[];
  readonly files: number;
  /** At most `MOST_FINDINGS`; `found` is how many there were. */
  readonly findings: readonly Finding[];
  readonly found: number;
  /** What is no fault: half a line that a crash left, files that were put aside. */
  readonly notes: readonly string[];
}

export interface VerifyOptions {
  /** Public keys whose signatures count. */
  readonly keys: readonly string[];
  /** Name of the file to begin with; what came before it may be gone. */
  readonly from?: string | undefined;
  /** Texts of heads that were copied away earlier: their lines must be in the record. */
  readonly heads?: readonly string[];
}

const MOST_FINDINGS = 200;
const CHECKPOINT = /^\{"seq":\d+,"kind":"checkpoint",/;
const NOTICE = /^\{"seq":\d+,"kind":"notice",/;

/**
 * Reads a whole record and finds every line that was removed, changed, moved, repeated or inserted, a
 * missing end and signatures that aren't right. What this proves is in docs/audit.md.
 *
 * @param file `…/audit.jsonl`.
 * @throws RecordError `no-record`; `key-unusable`.
 */
export async function verifyRecord(file: string, options: VerifyOptions): Promise<Verification> {
  const names = recordNames(file);
  const check = signatureChecker(options.keys);
  const walk = new Walk(check, options.from !== undefined);
  // Before the lines are read: a broker that runs moves it on meanwhile.
  const heads = headsOf(names, options);
  for (const { text } of heads) walk.want(readHead(text ?? "")?.seq ?? 0);
  using files = openRecord(names);
  const chosen = filesFrom(files, options.from);
  for (const each of chosen) await walk.read(each);
  walk.end();
  const own = walk.checkHeads(heads, options.keys.length > 0);
  return {
    ok: walk.found === 0,
    lines: walk.lines,
    checkpoints: walk.checkpoints,
    ...(walk.first === undefined ? {} : { first: walk.first, last: walk.last }),
    hash: walk.hash,
    ...(own === undefined ? {} : { head: own.head }),
    signed: own?.signed ?? false,
    keys: options.keys.map((key) => ({ key, id: keyId(key) })),
    files: chosen.length,
    findings: walk.findings,
    found: walk.found,
    notes: [...walk.notes, ...asideNotes(names)],
  };
}

interface HeadText {
  readonly name: string;
  readonly text: string | undefined;
  /** The record's own, which must be there. */
  readonly own: boolean;
}

/** Goes through the lines in their order. */
class Walk {
  readonly #check: CheckSignature;
  readonly findings: Finding[] = [];
  readonly notes: string[] = [];
  found = 0;
  lines = 0;
  checkpoints = 0;
  first: number | undefined;
  last = 0;
  hash = GENESIS;
  /** Whether lines before the first one may be missing. */
  #anyStart: boolean;
  /** Numbers that were left out, as ranges. */
  #missing: [from: number, to: number][] = [];
  readonly #wanted = new Map<number, string | undefined>();

  constructor(check: CheckSignature, anyStart: boolean) {
    this.#check = check;
    this.#anyStart = anyStart;
  }

  /** Asks for the hashes of these lines to be remembered. */
  want(seq: number): void {
    this.#wanted.set(seq, undefined);
  }

  async read(file: RecordFile): Promise<void> {
    let number = 0;
    try {
      for await (const { lines, half } of readLines(file)) {
        for (const line of lines) {
          number += 1;
          this.#line(line, file.name, number);
        }
        if (half === "") continue;
        if (file.current)
          this.notes.push(
            `"${file.name}" ends with half a line of ${half.length} bytes, as a crash leaves it; the next start removes it`,
          );
        else
          this.#find({
            code: "malformed",
            message: "the file ends in the middle of a line",
            file: file.name,
            line: number + 1,
          });
      }
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      this.#find({ code: "unreadable", message: error.message, file: file.name });
    }
  }

  #line(text: string, file: string, line: number): void {
    const sealed = readSealedLine(text);
    if (sealed === undefined) {
      this.#find({ code: "malformed", message: "this is no line of a record", file, line });
      return;
    }
    const { seq, body, hash } = sealed;
    const at = { file, line, seq };
    this.lines += 1;
    if (seq <= this.last) {
      if (this.#wasMissing(seq))
        this.#find({ code: "moved", message: `line ${seq} stands after line ${this.last}`, ...at });
      else this.#find({ code: "repeated", message: `line ${seq} stands a second time`, ...at });
      return;
    }
    const anyBefore = this.#anyStart;
    this.#anyStart = false;
    const gap = seq > this.last + 1;
    if (gap && !anyBefore) this.#missing.push([this.last + 1, seq - 1]);
    // After a gap the line before is not here to follow from, unless a broker went on after a loss.
    if (!anyBefore && hashBody(this.hash, body) !== hash && !gap)
      this.#find({
        code: "changed",
        message: `line ${seq} was changed, or the line before it`,
        ...at,
      });
    if (CHECKPOINT.test(body)) this.#checkpoint(body, anyBefore || gap, at);
    else if (NOTICE.test(body)) this.#notice(text, at);
    this.first ??= seq;
    this.last = seq;
    this.hash = hash;
    if (this.#wanted.has(seq)) this.#wanted.set(seq, hash);
  }

  #checkpoint(
    body: string,
    anyBefore: boolean,
    at: { file: string; line: number; seq: number },
  ): void {
    this.checkpoints += 1;
    const { state, keyId: id } = checkSigned("checkpoint", body, this.#check);
    const head = /,"head":"([0-9a-f]{64})",/.exec(body)?.[1];
    if (state === "unknown-key")
      this.#find({
        code: "unknown-key",
        message: `the checkpoint is signed by key ${id ?? ""}, which is not known here`,
        ...at,
      });
    else if (state !== "right" || (head !== this.hash && !anyBefore))
      this.#find({ code: "bad-signature", message: "the checkpoint's signature is wrong", ...at });
  }

  #notice(text: string, at: { file: string; line: number; seq: number }): void {
    const code = /"code":"([a-z-]+)"/.exec(text)?.[1] ?? "";
    const time = /"time":"([^"]+)"/.exec(text)?.[1] ?? "";
    this.#find({
      code: "noticed",
      message: `at its start of ${time} the broker noticed: ${NOTICES[code] ?? code}`,
      ...at,
    });
  }

  /** What was left out and did not come later. */
  end(): void {
    for (const [from, to] of this.#missing)
      this.#find({
        code: "removed",
        message: from === to ? `line ${from} is missing` : `lines ${from} to ${to} are missing`,
        seq: from,
      });
  }

  /** @returns the record's own head. */
  checkHeads(
    heads: readonly HeadText[],
    needsSignature: boolean,
  ): { readonly head: Head; readonly signed: boolean } | undefined {
    let own: { head: Head; signed: boolean } | undefined;
    for (const { name, text, own: isOwn } of heads) {
      const head = text === undefined ? undefined : readHead(text);
      if (text === undefined || head === undefined) {
        const what = text === undefined ? "is missing" : "is damaged";
        this.#find({ code: "head", message: `the head "${name}" ${what}`, file: name });
        continue;
      }
      const { state, keyId: id } = checkSigned("head", text.trimEnd().slice(0, -1), this.#check);
      if (state === "wrong")
        this.#find({ code: "bad-signature", message: `the head's signature is wrong`, file: name });
      else if (state === "unknown-key")
        this.#find({
          code: "unknown-key",
          message: `the head is signed by key ${id ?? ""}, which is not known here`,
          file: name,
        });
      else if (state === "none" && needsSignature)
        this.#find({ code: "bad-signature", message: "the head is not signed", file: name });
      if (isOwn) own = { head, signed: state === "right" };
      this.#checkHead(head, name);
    }
    return own;
  }

  #checkHead(head: Head, name: string): void {
    const { seq, hash } = head;
    if (seq === 0) return;
    if (seq > this.last)
      this.#find({
        code: "truncated",
        message: `the record ends with line ${this.last}, but line ${seq} was there at ${head.time}`,
        file: name,
        seq,
      });
    else if (seq >= (this.first ?? 1) && this.#wanted.get(seq) !== hash)
      this.#find({
        code: "head",
        message: `line ${seq} is not the one that was there at ${head.time}`,
        file: name,
        seq,
      });
  }

  #wasMissing(seq: number): boolean {
    const index = this.#missing.findIndex(([from, to]) => from <= seq && seq <= to);
    const range = this.#missing[index];
    if (range === undefined) return false;
    const [from, to] = range;
    const rest: [number, number][] = [];
    if (from < seq) rest.push([from, seq - 1]);
    if (seq < to) rest.push([seq + 1, to]);
    this.#missing.splice(index, 1, ...rest);
    return true;
  }

  #find(finding: Finding): void {
    this.found += 1;
    if (this.findings.length < MOST_FINDINGS) this.findings.push(finding);
  }
}

const NOTICES: Readonly<Record<string, string>> = {
  "head-missing": "the record had lines, but its head was gone",
  "head-damaged": "the record's head was damaged or not signed by the key in use",
  "behind-head": "the record ended before the line that its head named",
  "off-head": "the line that the head named was another one",
  "tail-damaged": "the end of the record was damaged and was put aside",
  "file-damaged": "the newest file that was put aside could not be read",
};

function headsOf(names: RecordNames, { heads = [] }: VerifyOptions): HeadText[] {
  let text: string | undefined;
  try {
    text = readFileSync(names.head, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return [
    { name: `${names.stem}.head`, text, own: true },
    ...heads.map((copy) => ({ name: "the copy", text: copy, own: false })),
  ];
}

function filesFrom(files: readonly RecordFile[], from: string | undefined): readonly RecordFile[] {
  if (from === undefined) return files;
  const plain = (name: string): string => name.replace(/\.(zst|gz)$/, "");
  const index = files.findIndex(({ name }) => plain(name) === plain(from));
  if (index < 0)
    throw new RecordError("no-record", `the record has no file "${from}"`, {
      hint: `there are: ${files.map(({ name }) => name).join(", ")}`,
    });
  return files.slice(index);
}

function asideNotes({ folder, stem }: RecordNames): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${stem}-damaged-`))
    .map((name) => `"${name}" holds what a start put aside`);
}
