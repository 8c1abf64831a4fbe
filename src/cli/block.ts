/** An error in three lines: what, where, what to do. */
export function block(
  message: string,
  where: string | undefined,
  hint: string | undefined,
): string {
  const lines = [`error: ${message}`];
  if (where !== undefined) lines.push(`  at ${where}`);
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  return `${lines.map(printable).join("\n")}\n`;
}

/**
 * Text that may come from a bot, made harmless for a terminal: control characters, which could
 * move the cursor or change the title, become U+FFFD.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}
