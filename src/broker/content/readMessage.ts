import type { MessageShape } from "../../plan/index.ts";
import { bodyKind } from "../body/bodyKind.ts";
import { encodeForForm, readForm } from "../body/form.ts";
import { readJson, readPointer, type JsonNode } from "../body/json.ts";
import { readMultipart } from "../body/multipart.ts";
import { isAlike } from "../decide/alike.ts";
import type { Call } from "../match.ts";
import { overlayJson, valueOf, type Edit } from "./overlayJson.ts";

/** What a call says to people. */
export interface Message {
  /** By pointer: all strings found there. */
  readonly texts: readonly (readonly string[])[];
  /** What has to be changed in the body to switch previews off. */
  readonly edits: readonly Edit[];
}

/** A field of a form or multipart body that holds the whole message as JSON: Discord's, Slack's. */
const WHOLE = ["payload_json", "payload"];

/**
 * Reads a message out of a call's body: JSON, form or multipart, as its shape says. A pointer's
 * first name is that of a field in the latter two. Where it leads to an object or array, all strings
 * in it are texts; on the way, an array stands for each of its items.
 *
 * @returns `undefined` when the body can't be read, or not in one way only.
 */
export function readMessage(shape: MessageShape, call: Call): Message | undefined {
  if (call.body === "none") return { texts: [], edits: [] };
  const { content } = call;
  if (content === undefined) return undefined;
  switch (bodyKind(call.headers)) {
    case "json": {
      const root = readJson(content.bytes);
      return root?.kind === "object" ? readRoot(shape, root, 0) : undefined;
    }
    case "form":
      return readFields(shape, readFormFields(content.bytes), appendToForm(content.bytes));
    case "multipart": {
      const boundary = content.parameters.get("boundary") ?? "";
      return readFields(
        shape,
        readParts(content.bytes, boundary, fieldNames(shape)),
        appendToMultipart(content.bytes, boundary),
      );
    }
    case "other":
    case undefined:
    default:
      return undefined;
  }
}

/** Names of query fields that some services read a message from too. */
export function fieldNames(shape: MessageShape): string[] {
  const pointers = [...shape.texts, ...(shape.previewOff ?? []).map(({ pointer }) => pointer)];
  return [...new Set(pointers.map((pointer) => readPointer(pointer)[0] ?? "")), ...WHOLE];
}

function readRoot(shape: MessageShape, root: JsonNode, offset: number): Message | undefined {
  const texts = shape.texts.map((pointer) => stringsAt(root, readPointer(pointer)));
  const edits = overlayJson(root, shape.previewOff ?? [], offset);
  return edits && { texts, edits };
}

interface Field {
  readonly name: string;
  readonly value: string;
  /** Of the value as it stands in the body. */
  readonly start: number;
  readonly end: number;
  /** The value again, as it has to stand there. */
  readonly encode: (value: string) => Buffer;
}

function readFields(
  shape: MessageShape,
  fields: readonly Field[] | undefined,
  append: (name: string, value: string) => Edit,
): Message | undefined {
  if (fields === undefined) return undefined;
  const texts: string[][] = shape.texts.map((pointer) => {
    const [name = "", ...rest] = readPointer(pointer);
    return fields
      .filter((field) => isAlike(field.name, name))
      .flatMap(({ value }) => [value, ...stringsIn(value, rest)]);
  });
  const edits: Edit[] = [];
  const whole = fields.filter(({ name }) => WHOLE.some((wanted) => isAlike(name, wanted)));
  for (const field of whole) {
    const inner = readWhole(shape, field);
    if (inner === undefined) return undefined;
    for (const [index, strings] of inner.texts.entries()) texts[index]?.push(...strings);
    edits.push(...inner.edits);
  }
  if (whole.length > 0) {
    // Which of the two counts is for each service to know.
    const beside = fields.some(
      ({ name }) =>
        !WHOLE.some((wanted) => isAlike(name, wanted)) &&
        fieldNames(shape).some((wanted) => isAlike(name, wanted)),
    );
    return beside || whole.length > 1 ? undefined : { texts, edits };
  }
  for (const [name, settings] of Map.groupBy(
    shape.previewOff ?? [],
    ({ pointer }) => readPointer(pointer)[0] ?? "",
  )) {
    const set: unknown = Reflect.get(Object(valueOf(settings)), name);
    const value = typeof set === "string" ? set : JSON.stringify(set);
    const there = fields.filter((field) => isAlike(field.name, name));
    for (const { start, end, encode } of there) edits.push({ start, end, bytes: encode(value) });
    if (!there.some((field) => field.name === name)) edits.push(append(name, value));
  }
  return { texts, edits };
}

/** A field with the whole message. The edited JSON is put back as a whole, since it may be encoded. */
function readWhole(shape: MessageShape, field: Field): Message | undefined {
  const bytes = Buffer.from(field.value);
  const root = readJson(bytes);
  const inner = root?.kind === "object" ? readRoot(shape, root, 0) : undefined;
  if (inner === undefined || inner.edits.length === 0) return inner;
  let out = "";
  let at = 0;
  for (const edit of inner.edits.toSorted((a, b) => a.start - b.start)) {
    out += bytes.toString("utf8", at, edit.start) + edit.bytes.toString("utf8");
    at = edit.end;
  }
  out += bytes.toString("utf8", at);
  const { start, end } = field;
  return { texts: inner.texts, edits: [{ start, end, bytes: field.encode(out) }] };
}

function readFormFields(bytes: Buffer): Field[] | undefined {
  return readForm(bytes)?.map(([name, value, start, end]) => ({
    name,
    value,
    start,
    end,
    encode: (text) => Buffer.from(encodeForForm(text)),
  }));
}

function appendToForm(bytes: Buffer): (name: string, value: string) => Edit {
  const at = bytes.length;
  return (name, value) => {
    const pair = `${encodeForForm(name)}=${encodeForForm(value)}`;
    return { start: at, end: at, bytes: Buffer.from(`${at > 0 ? "&" : ""}${pair}`) };
  };
}

/** Parts of these names. One that is a file is no text, unless it is the whole message. */
function readParts(bytes: Buffer, boundary: string, names: readonly string[]): Field[] | undefined {
  return readMultipart(bytes, boundary)?.flatMap(({ name, filename, start, end }) =>
    (filename === undefined ? names : WHOLE).some((wanted) => isAlike(name, wanted))
      ? [
          {
            name,
            value: bytes.toString("utf8", start, end),
            start,
            end,
            encode: (text: string) => Buffer.from(text),
          },
        ]
      : [],
  );
}

/** Right before the last boundary. */
function appendToMultipart(bytes: Buffer, boundary: string): (name: string, value: string) => Edit {
  const at = bytes.lastIndexOf(`--${boundary}--`);
  return (name, value) => {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
    return { start: at, end: at, bytes: Buffer.from(`${head}${value}\r\n`) };
  };
}

/** All strings under a pointer, keys being compared as loosely as any parser does. */
function stringsAt(node: JsonNode, [token, ...rest]: readonly string[]): string[] {
  if (token === undefined) return stringsOf(node);
  if (node.kind === "array") return node.items.flatMap((item) => stringsAt(item, [token, ...rest]));
  if (node.kind !== "object") return [];
  return [...node.members].flatMap(([key, member]) =>
    isAlike(key, token) ? stringsAt(member, rest) : [],
  );
}

function stringsOf(node: JsonNode): string[] {
  if (node.kind === "object") return [...node.members.values()].flatMap(stringsOf);
  if (node.kind === "array") return node.items.flatMap(stringsOf);
  return typeof node.value === "string" ? [node.value] : [];
}

/** Strings of a field's value that is JSON itself. */
function stringsIn(value: string, tokens: readonly string[]): string[] {
  const root = /^\s*[[{"]/.test(value) ? readJson(Buffer.from(value)) : undefined;
  return root === undefined ? [] : stringsAt(root, tokens);
}
