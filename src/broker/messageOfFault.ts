/**
 * A fault for stderr: its class, code and where in our code it happened. Not its message, which may
 * quote what was being worked on.
 */
export function messageOfFault(error: unknown): string {
  if (!(error instanceof Error)) return "error: the broker failed\n";
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  const frames = (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line));
  return `error: the broker failed (${error.name}${code})\n${frames.slice(0, 12).join("\n")}\n`;
}
