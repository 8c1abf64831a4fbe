/** What a person can do something about (errno(3)), in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk reports an error",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  ENOTDIR: "a folder on the way to it is a file",
  EEXIST: "something else is there",
};

/** Why the file system refused, in words to stand behind a colon; undefined for other errors. */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return REASONS[String(error.code)];
}
