/** A file or folder beside the module, in data for `nixValue`. */
export class NixPlace {
  readonly path: string;

  /** @param path relative, without `..` */
  constructor(path: string) {
    this.path = path;
  }
}

/** Nix manual, "Path": a literal where its grammar has a word for it, which names it in the store, too. */
function nixPlace({ path }: NixPlace): string {
  const plain = path.replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "");
  return /^[A-Za-z0-9._+-]+(?:\/[A-Za-z0-9._+-]+)*$/.test(plain)
    ? `./${plain}`
    : `(builtins.path { path = ./. + ${nixString(`/${plain}`)}; name = "folder"; })`;
}

/** A Nix expression for plain data, on one line where it is short; keys in the order they have. */
export function nixValue(value: unknown, indent = ""): string {
  if (value === null) return "null";
  if (typeof value === "string") return nixString(value);
  if (typeof value === "number") return nixNumber(value);
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return nixList(value, indent);
  if (value instanceof NixPlace) return nixPlace(value);
  if (typeof value === "object") return nixSet(Object.entries(value), indent);
  throw new TypeError("only data has a Nix expression");
}

/**
 * A string in double quotes (Nix manual, "String literal"): the backslash, the quote and `${` mean
 * something in it, a lone dollar sign doesn't. A NUL can't stand in one, nor a lone surrogate.
 */
export function nixString(text: string): string {
  if (text.includes("\0") || !text.isWellFormed())
    throw new TypeError("no Nix string can hold this");
  const escaped = text
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll("${", String.raw`\${`)
    .replaceAll("\n", String.raw`\n`)
    .replaceAll("\r", String.raw`\r`)
    .replaceAll("\t", String.raw`\t`);
  return `"${escaped}"`;
}

/** An attribute's name, in quotes unless it is an identifier and no keyword. */
export function nixName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_'-]*$/.test(name) && !KEYWORDS.has(name) ? name : nixString(name);
}

const KEYWORDS = new Set(
  "assert else if in inherit let or rec then with true false null".split(" "),
);

/** Longest line that a list of words is left on. */
const LINE = 80;

function nixList(items: readonly unknown[], indent: string): string {
  const one = `[ ${items.map((item) => listItem(item, "")).join(" ")} ]`;
  if (items.length === 0) return "[ ]";
  if (!one.includes("\n") && indent.length + one.length < LINE) return one;
  const inner = `${indent}  `;
  return `[\n${items.map((item) => `${inner}${listItem(item, inner)}\n`).join("")}${indent}]`;
}

/** A negative number in a list would be a subtraction. */
function listItem(item: unknown, indent: string): string {
  const text = nixValue(item, indent);
  return text.startsWith("-") ? `(${text})` : text;
}

function nixSet(entries: readonly (readonly [string, unknown])[], indent: string): string {
  const inner = `${indent}  `;
  const lines = entries
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const [path, last] = throughSingle([name], value);
      return `${inner}${path.map(nixName).join(".")} = ${nixValue(last, inner)};\n`;
    });
  return lines.length === 0 ? "{ }" : `{\n${lines.join("")}${indent}}`;
}

/** A set with one attribute is a path to that (Nix manual, "Attribute Set"). */
function throughSingle(path: string[], value: unknown): [path: string[], value: unknown] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path, value];
  if (value instanceof NixPlace) return [path, value];
  const [only, ...others] = Object.entries(value).filter(([, each]) => each !== undefined);
  return only === undefined || others.length > 0
    ? [path, value]
    : throughSingle([...path, only[0]], only[1]);
}

/** Nix has integers of 64 bits and floats; a float's text needs a point. */
function nixNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError("no Nix number is infinite");
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
  const text = String(value);
  const [mantissa = "", exponent] = text.split("e");
  const pointed = mantissa.includes(".") ? mantissa : `${mantissa}.0`;
  return exponent === undefined ? pointed : `${pointed}e${exponent.replace("+", "")}`;
}
