import type { Fingerprints } from "../../needles/index.ts";

/** What the scanner inside its wall is told. It holds no value. */
export interface ScanJob {
  readonly roots: readonly ScanRoot[];
  readonly fingerprints: Fingerprints;
  /** Paths as shown that an earlier attempt didn't survive. */
  readonly skip: readonly string[];
  /** Where git is, if it may be used. */
  readonly git?: string;
  /** Overwrite what is found in text files. */
  readonly redact: boolean;
}

/** One file or folder to look through. */
export interface ScanRoot {
  /** As the person named it. */
  readonly shown: string;
  /** Where it lies inside the wall. */
  readonly inside: string;
}

/** Where something was found. Never what. */
export interface Place {
  readonly path: string;
  /** From 1. */
  readonly line?: number;
  /** In a database. */
  readonly table?: string;
  readonly row?: number;
  readonly column?: string;
  /** In a repository's history. */
  readonly object?: string;
  readonly commit?: string;
  readonly file?: string;
  /** In a name or a link's target instead of contents. */
  readonly part?: "name" | "target";
}

/** Something that looks like a secret, or is one. */
export type Finding = Place & {
  readonly redacted?: boolean;
} & (
    | { readonly kind: "secret"; readonly secret: string; readonly spelling: string }
    | { readonly kind: "shape"; readonly rule: string }
  );

/** One line of the scanner's output. */
export type ScanMessage =
  /** What is looked at from now on. */
  | { readonly type: "at"; readonly path: string }
  | { readonly type: "alive" }
  | { readonly type: "found"; readonly finding: Finding }
  /** Something that couldn't be looked at, or not wholly. */
  | { readonly type: "unread"; readonly path: string; readonly why: string }
  | { readonly type: "done"; readonly files: number; readonly bytes: number };
