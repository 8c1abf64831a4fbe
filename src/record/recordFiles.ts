import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A file that was full and put aside. */
export interface RotatedFile {
  readonly path: string;
  readonly name: string;
  /** Number of its first line. */
  readonly first: number;
  readonly coding: "plain" | "zstd" | "gzip";
}

/** Names of everything that belongs to the record in `file` (`…/audit.jsonl`). */
export interface RecordNames {
  readonly folder: string;
  /** `audit`. */
  readonly stem: string;
  readonly current: string;
  /** The file that takes its place, while files are changed. */
  readonly next: string;
  readonly journal: string;
  readonly head: string;
}

export function recordNames(file: string): RecordNames {
  const folder = dirname(file);
  const stem = basename(file).replace(/\.jsonl$/, "");
  return {
    folder,
    stem,
    current: file,
    next: `${file}.next`,
    journal: `${file}.journal`,
    head: join(folder, `${stem}.head`),
  };
}

/** `audit-000000000001-20261102T081500Z.jsonl`; padded so that names sort as lines do. */
export function rotatedPath({ folder, stem }: RecordNames, first: number, now: Date): string {
  return join(folder, `${stem}-${String(first).padStart(12, "0")}-${stamp(now)}.jsonl`);
}

/** A UTC time fit for a file's name. */
export function stamp(now: Date): string {
  return `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

const CODINGS = { "": "plain", ".zst": "zstd", ".gz": "gzip" } as const;

/** The files put aside, in the order of their lines. Where one is there compressed and not, the latter counts. */
export function rotatedFiles({ folder, stem }: RecordNames): RotatedFile[] {
  const found = new Map<string, RotatedFile>();
  for (const name of readdirSync(folder).toSorted()) {
    const match = /^-(\d{1,15})-\d{8}T\d{6}Z\.jsonl(\.zst|\.gz|)$/.exec(
      name.startsWith(stem) ? name.slice(stem.length) : "",
    );
    const coding = CODINGS[(match?.[2] ?? "") as keyof typeof CODINGS];
    if (match === null) continue;
    const plain = name.replace(/\.(zst|gz)$/, "");
    if (!found.has(plain))
      found.set(plain, { path: join(folder, name), name, first: Number(match[1]), coding });
  }
  return [...found.values()].toSorted((a, b) => a.first - b.first || (a.name < b.name ? -1 : 1));
}
