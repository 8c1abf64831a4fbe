/** A task of a justfile, as far as ours have them. */
export interface JustTask {
  readonly parameters: readonly string[];
  readonly lines: readonly string[];
}

/** The tasks of a justfile by name (just's manual, "Recipe Parameters"). */
export function readTasks(text: string): ReadonlyMap<string, JustTask> {
  const tasks = new Map<string, JustTask & { readonly lines: string[] }>();
  let last: string[] | undefined;
  for (const line of text.split("\n")) {
    const [, name, words = ""] = /^([a-z][a-z-]*)((?: [^:]+)?):$/.exec(line) ?? [];
    if (name !== undefined) {
      const parameters = words
        .split(" ")
        .filter((word) => word !== "")
        .map((word) => word.replace(/^[*+]|=.*$/g, ""));
      last = [];
      tasks.set(name, { parameters, lines: last });
    } else if (/^ {4}\S/.test(line)) last?.push(line.trim());
    else if (line !== "") last = undefined;
  }
  return tasks;
}

/** The words of a task's line with these values in it; `quote()` keeps a value one word. */
export function wordsOf(line: string, values: Readonly<Record<string, string>>): string[] {
  const valueOf = (name: string): string => {
    const value = values[name];
    if (value === undefined) throw new Error(`${line}: there is no ${name}`);
    return value;
  };
  return line
    .replaceAll(/\{\{quote\("([^"]*)" \+ (\w+)\)\}\}/g, (_, text, name) => text + valueOf(name))
    .replaceAll(/\{\{(?:quote\()?(\w+)\)?\}\}/g, (_, name: string) => valueOf(name))
    .split(" ")
    .filter((word) => word !== "");
}
