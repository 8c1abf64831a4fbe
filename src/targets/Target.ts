/** One file of a target, for `writeTarget` or `seawall switch` to put somewhere. */
export interface TargetFile {
  /** Relative to the folder it is written to: plain, with `/`, no `..`. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/**
 * A printer from plan to the files of one system. Pure: the same input gives the same files, byte
 * for byte and in the same order, on any machine (invariant 7). It is given walls and rendered
 * configuration, and never a secret, a phantom or a token.
 */
export interface Target<Input> {
  /** As in `seawall build --target NAME`. */
  readonly name: string;
  /** One line for the help. */
  readonly summary: string;
  /** Sorted by path; no path twice. @throws TargetError for what this target can't print. */
  readonly render: (input: Input) => readonly TargetFile[];
}

/** @param bytes text is written as UTF-8 */
export function targetFile(path: string, bytes: string | Uint8Array, mode = 0o444): TargetFile {
  return { path, mode, bytes: typeof bytes === "string" ? Buffer.from(bytes) : bytes };
}
