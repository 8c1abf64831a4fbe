/** Files of a text archive, in order: each begins with a line `-- NAME --`. */
export function readArchive(text: string): Map<string, string> {
  const files = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split(/(?<=\n)/)) {
    const header = /^-- (.+) --\n$/.exec(line)?.[1];
    if (header !== undefined) files.set((name = header), "");
    else if (name !== undefined) files.set(name, (files.get(name) ?? "") + line);
  }
  return files;
}

export function writeArchive(files: ReadonlyMap<string, string>): string {
  return [...files].map(([name, text]) => `-- ${name} --\n${text}`).join("");
}
