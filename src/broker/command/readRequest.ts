/** What a client sent: the name it was called by, its arguments, and whether bytes follow. */
export interface CommandRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly body: boolean;
}

const MOST_ARGUMENTS = 1000;

/** Reads a request's line; `undefined` for what no client of ours sends. */
export function readRequest(line: Uint8Array): CommandRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { v, command, args, body } = value as Record<string, unknown>;
  if (v !== 1 || typeof command !== "string" || typeof body !== "boolean") return undefined;
  if (!Array.isArray(args) || args.length > MOST_ARGUMENTS) return undefined;
  if (!args.every((each) => typeof each === "string")) return undefined;
  return { command, args, body };
}
