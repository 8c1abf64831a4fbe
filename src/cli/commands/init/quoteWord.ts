/** A word for a shell. */
export function quoteWord(text: string): string {
  return /^[A-Za-z0-9_./-][A-Za-z0-9_./#-]*$/.test(text)
    ? text
    : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
