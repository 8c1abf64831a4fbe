/** A file that a commit is about. */
export interface Change {
  readonly kind: "add" | "change" | "remove";
  readonly path: string;
}

const NAMED = 3;
const LISTED = 200;
const WORDS = { add: "Add", change: "Change", remove: "Remove" } as const;

/**
 * Says what changed: `ops: change MEMORY.md, add notes/today.md`. Names come from a bot: what could be
 * taken for something else in a log or a terminal is left out of them.
 *
 * @param title the first line, where the files don't say it.
 */
export function commitMessage(agent: string, changes: readonly Change[], title?: string): string {
  const sorted = changes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const parts = (["change", "add", "remove"] as const).flatMap((kind) => {
    const paths = sorted.filter((each) => each.kind === kind).map(({ path }) => plain(path));
    if (paths.length === 0) return [];
    const named = paths.length > NAMED ? `${paths.length} files` : paths.join(", ");
    return [`${kind} ${named}`];
  });
  const first = `${agent}: ${title ?? parts.join(", ")}`;
  const lines = sorted.slice(0, LISTED).map(({ kind, path }) => `${WORDS[kind]} ${plain(path)}`);
  const more = sorted.length > LISTED ? [`and ${sorted.length - LISTED} more`] : [];
  return `${first.length > 100 ? `${first.slice(0, 97)}…` : first}\n\n${[...lines, ...more].join("\n")}\n`;
}

function plain(path: string): string {
  return path.replace(/[^\p{L}\p{N}\p{M} ._/@+-]/gu, "?").slice(0, 200);
}
