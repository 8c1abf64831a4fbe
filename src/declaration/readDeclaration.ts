import { parse } from "@humanwhocodes/momoa";
import type {
  ArrayNode,
  DocumentNode,
  MemberNode,
  ObjectNode,
  ValueNode,
} from "@humanwhocodes/momoa";
import type { Fault, Path } from "./Fault.ts";

/** A JSON5 document as a value, with a way back from each path to where it stands in the text. */
export interface SourceDocument {
  readonly value: unknown;
  /** Duplicate keys and numbers that JSON can't hold. */
  readonly faults: readonly Fault[];
  readonly positions: Positions;
}

/** Lines and columns start at 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Positions {
  /** Where the value at `path` starts, or the nearest enclosing value that exists. */
  value(path: Path): Position;
  /** Where the last key of `path` stands, or the value when there is no such key. */
  key(path: Path): Position;
}

const START: Position = { line: 1, column: 1 };

/**
 * Reads JSON5 text (https://spec.json5.org). Never throws: a text that can't be parsed gives the
 * value `undefined` and one fault with code `syntax`. Faults never quote the text, since any part
 * of it may hold a secret.
 */
export function readDeclaration(text: string): SourceDocument {
  const parsed = parseText(text);
  if ("fault" in parsed) {
    const at = parsed.fault.at ?? START;
    return {
      value: undefined,
      faults: [parsed.fault],
      positions: { value: () => at, key: () => at },
    };
  }
  const faults: Fault[] = [];
  const value = toValue(parsed.document.body, [], faults);
  return { value, faults, positions: positionsOf(parsed.document.body) };
}

function parseText(text: string): { readonly document: DocumentNode } | { readonly fault: Fault } {
  try {
    // A string that ends with the text and a backslash makes momoa 3.3 loop for ever (found by fuzzing).
    const ended = text.endsWith("\\") ? `${text}\n` : text;
    return { document: parse(ended, { mode: "json5", allowTrailingCommas: true }) };
  } catch (error) {
    const { line, column } = error as Partial<Position>;
    const at = line === undefined || column === undefined ? START : { line, column };
    const ended = error instanceof Error && error.message.startsWith("Unexpected end");
    return {
      fault: {
        code: "syntax",
        path: [],
        message: ended ? "the file ends in the middle of a value" : "this is not valid JSON5",
        hint: ended
          ? "close what is open: a quote, a bracket or a brace"
          : "look for a missing comma, quote or brace here or on the line before",
        at,
      },
    };
  }
}

function toValue(node: ValueNode, path: Path, faults: Fault[]): unknown {
  switch (node.type) {
    case "Object":
      return toObject(node, path, faults);
    case "Array":
      return node.elements.map((element, index) =>
        toValue(element.value, [...path, index], faults),
      );
    case "String":
    case "Boolean":
      return node.value;
    case "Number":
      return node.value;
    case "Null":
      return null;
    case "NaN":
    case "Infinity":
      faults.push({
        code: "invalid",
        path,
        message: "this number is not finite",
        hint: "write a plain number",
      });
      return 0;
    default:
      return node satisfies never;
  }
}

function toObject(node: ObjectNode, path: Path, faults: Fault[]): Record<string, unknown> {
  // A null prototype, so that a key such as "__proto__" is a key and nothing else.
  const object = Object.create(null) as Record<string, unknown>;
  for (const member of node.members) {
    const key = keyOf(member);
    const here = [...path, key];
    if (Object.hasOwn(object, key)) {
      faults.push({
        code: "duplicate-key",
        path: here,
        message: `key ${quoteKey(key)} is given twice`,
        hint: "remove one of the two",
        at: member.name.loc.start,
      });
    }
    object[key] = toValue(member.value, here, faults);
  }
  return object;
}

/** Quotes a key for a message; a long one is cut, as it may be a value in the wrong place. */
export function quoteKey(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 8)}…` : key);
}

function keyOf(member: MemberNode): string {
  return member.name.type === "String" ? member.name.value : member.name.name;
}

function positionsOf(root: ValueNode): Positions {
  const walk = (
    path: Path,
  ): {
    readonly node: ValueNode;
    readonly member: MemberNode | undefined;
    readonly whole: boolean;
  } => {
    let node = root;
    let member: MemberNode | undefined;
    for (const step of path) {
      const next = childOf(node, step);
      if (next === undefined) return { node, member, whole: false };
      ({ node, member } = next);
    }
    return { node, member, whole: true };
  };
  return {
    value: (path) => startOf(walk(path).node),
    key: (path) => {
      const { node, member, whole } = walk(path);
      return startOf(whole && member !== undefined ? member.name : node);
    },
  };
}

function childOf(
  node: ValueNode,
  step: string | number,
): { readonly node: ValueNode; readonly member: MemberNode | undefined } | undefined {
  if (node.type === "Array") {
    const element =
      typeof step === "number" ? (node satisfies ArrayNode).elements[step] : undefined;
    return element && { node: element.value, member: undefined };
  }
  if (node.type !== "Object") return undefined;
  const member = node.members.findLast((candidate) => keyOf(candidate) === step);
  return member && { node: member.value, member };
}

function startOf(node: { readonly loc: { readonly start: Position } }): Position {
  return { line: node.loc.start.line, column: node.loc.start.column };
}
