import { isDeepStrictEqual } from "node:util";
import { parse } from "@humanwhocodes/momoa";
import type { DocumentNode, Token, ValueNode } from "@humanwhocodes/momoa";
import type { Path } from "./Fault.ts";
import { readDeclaration } from "./readDeclaration.ts";
import { writeJson5, writeKey } from "./writeJson5.ts";

/** One change of a declaration's text. */
export type Edit =
  /** Adds an item at the end of the list at `path`. */
  | { readonly kind: "append"; readonly path: Path; readonly value: unknown }
  /** Adds a key that isn't there to the object at `path`. */
  | { readonly kind: "set"; readonly path: Path; readonly key: string; readonly value: unknown }
  /** Puts another value in the place of the one at `path`. */
  | { readonly kind: "replace"; readonly path: Path; readonly value: unknown }
  /** Takes an item out of the list at `path`. */
  | { readonly kind: "remove"; readonly path: Path; readonly index: number };

/**
 * Changes a JSON5 text in place: formatting and comments stay, apart from the line of an item that
 * is removed.
 *
 * @param text one that `readDeclaration` reads without faults.
 * @throws TypeError when a path doesn't lead there, or the result would not say what was wanted.
 */
export function editDeclaration(text: string, edits: readonly Edit[]): string {
  let out = text;
  for (const edit of edits) {
    const before = readDeclaration(out).value;
    const after = applyEdit(out, edit);
    // Whatever the text looks like: nothing but what was wanted may have changed.
    const read = readDeclaration(after);
    if (read.faults.length > 0 || !isDeepStrictEqual(read.value, applied(before, edit)))
      throw new TypeError("the text can't be changed this way");
    out = after;
  }
  return out;
}

function applyEdit(text: string, edit: Edit): string {
  const document = parse(text, { mode: "json5", allowTrailingCommas: true, tokens: true });
  const source = new Source(text, document);
  const node = source.find(edit.path);
  switch (edit.kind) {
    case "append":
      return source.insert(node, writeJson5(edit.value));
    case "set":
      return source.insert(node, `${writeKey(edit.key)}: ${writeJson5(edit.value)}`);
    case "replace":
      return source.replace(node, writeJson5(edit.value));
    case "remove":
      return source.remove(node, edit.index);
    default:
      return edit satisfies never;
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** A text with its syntax tree and tokens, comments among them. */
class Source {
  readonly #text: string;
  readonly #body: ValueNode;
  readonly #tokens: readonly Token[];
  readonly #newline: string;

  constructor(text: string, { body, tokens = [] }: DocumentNode) {
    this.#text = text;
    this.#body = body;
    this.#tokens = tokens;
    this.#newline = text.includes("\r\n") ? "\r\n" : "\n";
  }

  find(path: Path): ValueNode {
    return path.reduce<ValueNode>((node, step) => {
      if (node.type === "Array" && typeof step === "number") {
        const element = node.elements[step];
        if (element !== undefined) return element.value;
      } else if (node.type === "Object") {
        const member = node.members.find(
          ({ name }) => (name.type === "String" ? name.value : name.name) === step,
        );
        if (member !== undefined) return member.value;
      }
      throw new TypeError("there is nothing at this path");
    }, this.#body);
  }

  /** Adds an item at the end, in a line of its own where the others have theirs. */
  insert(node: ValueNode, item: string): string {
    const children = childrenOf(node);
    const last = children.at(-1);
    const { start, end } = spanOf(node);
    const many = this.#text.slice(start, end).includes("\n");
    if (last === undefined) {
      const lead = this.#indentAt(start);
      const inside = this.#text.slice(start + 1, end - 1);
      const open = node.type === "Object" ? "{" : "[";
      const close = node.type === "Object" ? "}" : "]";
      const rest = many
        ? `${inside.trimEnd()}${this.#newline}${lead}  ${item},${this.#newline}${lead}`
        : node.type === "Object"
          ? ` ${item} `
          : item;
      return this.#replace({ start, end }, `${open}${rest}${close}`);
    }
    const comma = this.#commaAfter(last.end, end);
    if (!many) {
      // A comma that stands before the bracket stays the last thing before it.
      const added = comma === undefined ? `, ${item}` : ` ${item},`;
      const at = comma?.end ?? last.end;
      return this.#replace({ start: at, end: at }, added);
    }
    const lineEnd = this.#endOfLine(comma?.end ?? last.end, end - 1);
    const line = `${this.#newline}${this.#indentAt(last.start)}${item}${comma === undefined ? "" : ","}`;
    const withLine = this.#replace({ start: lineEnd, end: lineEnd }, line);
    if (comma !== undefined) return withLine;
    return `${withLine.slice(0, last.end)},${withLine.slice(last.end)}`;
  }

  replace(node: ValueNode, text: string): string {
    return this.#replace(spanOf(node), text);
  }

  remove(node: ValueNode, index: number): string {
    const children = childrenOf(node);
    const child = children[index];
    if (node.type !== "Array" || child === undefined) throw new TypeError("there is no such item");
    const container = spanOf(node);
    const before = children[index - 1];
    const comma = this.#commaAfter(child.end, container.end);
    const lineStart = this.#text.lastIndexOf("\n", child.start - 1) + 1;
    const lineEnd = this.#endOfLine(comma?.end ?? child.end, container.end - 1);
    const alone =
      this.#text.slice(lineStart, child.start).trim() === "" &&
      lineStart > container.start &&
      this.#text[lineEnd] === "\n";
    if (alone) return this.#replace({ start: lineStart, end: lineEnd + 1 }, "");
    if (comma === undefined && before !== undefined)
      return this.#replace({ start: before.end, end: child.end }, "");
    const end = comma?.end ?? child.end;
    const blanks = /^[ \t]*/.exec(this.#text.slice(end))?.[0].length ?? 0;
    return this.#replace({ start: child.start, end: end + blanks }, "");
  }

  #replace({ start, end }: Span, by: string): string {
    return this.#text.slice(0, start) + by + this.#text.slice(end);
  }

  /** The comma between what ends at `from` and what comes next or ends at `to`. */
  #commaAfter(from: number, to: number): Span | undefined {
    const next = this.#tokens
      .map((token) => ({ type: token.type, ...spanOf(token) }))
      .find(({ type, start }) => start >= from && start < to && !type.endsWith("Comment"));
    return next?.type === "Comma" ? next : undefined;
  }

  /** The end of what stands behind `from` in its line: comments, but not the bracket at `limit`. */
  #endOfLine(from: number, limit: number): number {
    const newline = this.#text.indexOf("\n", from);
    if (newline < 0 || newline > limit) return from;
    const code = this.#tokens.some((token) => {
      const { start } = spanOf(token);
      return start >= from && start < newline && !token.type.endsWith("Comment");
    });
    // A comment over several lines may begin here.
    const across = this.#tokens.some((token) => {
      const { start, end } = spanOf(token);
      return start < newline && end > newline;
    });
    if (code || across) return from;
    return this.#text[newline - 1] === "\r" ? newline - 1 : newline;
  }

  #indentAt(offset: number): string {
    const lineStart = this.#text.lastIndexOf("\n", offset - 1) + 1;
    return /^[ \t]*/.exec(this.#text.slice(lineStart))?.[0] ?? "";
  }
}

function childrenOf(node: ValueNode): Span[] {
  if (node.type === "Object") return node.members.map(spanOf);
  if (node.type === "Array") return node.elements.map(spanOf);
  throw new TypeError("this is neither a list nor an object");
}

function spanOf({ loc }: { readonly loc: Token["loc"] }): Span {
  return { start: loc.start.offset, end: loc.end.offset };
}

/** The value as it should be afterwards. */
function applied(value: unknown, edit: Edit): unknown {
  const copy = structuredClone(value);
  const follow = (path: Path): unknown =>
    path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown>)[step], copy);
  if (edit.kind === "replace") {
    const container = follow(edit.path.slice(0, -1)) as Record<string | number, unknown>;
    container[edit.path.at(-1) ?? ""] = edit.value;
    return plain(copy);
  }
  const target = follow(edit.path);
  if (edit.kind === "append") (target as unknown[]).push(edit.value);
  else if (edit.kind === "remove") (target as unknown[]).splice(edit.index, 1);
  else (target as Record<string, unknown>)[edit.key] = edit.value;
  // Prototypes are part of the comparison.
  return plain(copy);
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, child] of Object.entries(value)) object[key] = plain(child);
  return object;
}
