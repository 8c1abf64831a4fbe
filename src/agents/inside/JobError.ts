import type { JobFault } from "./Job.ts";

/** Says why a job could not be done; the message never repeats what a server or a bot wrote at length. */
export class JobError extends Error {
  readonly code: JobFault;

  constructor(code: JobFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** For what a file system says: no room is told from the rest. */
export function asJobError(error: unknown): JobError {
  if (error instanceof JobError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EROFS")
    return new JobError("disk", "there is no room on the disk", error);
  if (/^E[A-Z]+$/.test(code))
    return new JobError("workspace", `a file can't be used: ${code}`, error);
  return new JobError(
    "workspace",
    error instanceof Error ? error.message.slice(0, 200) : "?",
    error,
  );
}
