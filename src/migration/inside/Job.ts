/** What the program inside its wall is to do with an OpenClaw installation. */
export type MigrationJob =
  /** Tell the configuration and every credential. */
  | { readonly verb: "read"; readonly folder: string }
  /** Tell the bytes of each file that `replace` would change. */
  | {
      readonly verb: "collect";
      readonly folder: string;
      readonly replacements: readonly Replacement[];
    }
  /** Put phantoms in the places of credentials. */
  | {
      readonly verb: "replace";
      readonly folder: string;
      readonly replacements: readonly Replacement[];
    }
  /** Put files back as they were. */
  | { readonly verb: "restore"; readonly folder: string; readonly files: readonly SavedFile[] };

/** What takes the place of a credential, which is found again by where it stands. */
export interface Replacement {
  readonly place: string;
  readonly phantom: string;
}

/** A file as it was. */
export interface SavedFile {
  /** Relative to the installation. */
  readonly path: string;
  readonly mode: number;
  /** Milliseconds. */
  readonly modified: number;
  /** Base64; absent when there was no such file. */
  readonly bytes?: string;
}

/** What a credential is for, as far as its place tells. */
export type Purpose =
  | { readonly kind: "provider"; readonly name: string }
  | { readonly kind: "channel"; readonly name: string; readonly field: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "plugin"; readonly name: string }
  | { readonly kind: "setting"; readonly path: string };

/** A credential in an installation. */
export interface FoundCredential {
  /** Which file, and where in it: `openclaw.json: channels.telegram.botToken`. */
  readonly place: string;
  readonly purpose: Purpose;
  readonly value: string;
}

export type MigrationMessage =
  | { readonly type: "config"; readonly value: unknown }
  | { readonly type: "credential"; readonly credential: FoundCredential }
  /** Something that looks like a credential, or is one that can't be moved. */
  | { readonly type: "left"; readonly place: string; readonly why: string }
  | { readonly type: "file"; readonly file: SavedFile }
  | { readonly type: "changed"; readonly path: string }
  | { readonly type: "failed"; readonly code: MigrationFailure; readonly place: string }
  | { readonly type: "done" };

export type MigrationFailure =
  "no-config" | "bad-config" | "includes" | "bad-database" | "too-large" | "disk" | "changed";
