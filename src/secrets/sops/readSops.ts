import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  type Document,
  type Node,
  type YAMLMap,
} from "yaml";

/** One value of the file, in the file's order, which the MAC depends on. */
export interface SopsLeaf {
  /** Keys on the way to it; SOPS leaves the positions in lists out. */
  readonly path: readonly string[];
  /** With the positions in lists. */
  readonly steps: readonly string[];
  /** As Go's `ToBytes` prints the value: encrypted values are strings. */
  readonly text: string;
  readonly isString: boolean;
}

/** What the file says of itself under `sops`. */
export interface SopsMetadata {
  /** The data key, encrypted for each recipient. */
  readonly age: readonly string[];
  readonly lastModified: string;
  readonly mac: string;
  readonly macOnlyEncrypted: boolean;
  readonly unencryptedSuffix: string;
  readonly encryptedSuffix: string;
  readonly unencryptedRegex: RegExp | undefined;
  readonly encryptedRegex: RegExp | undefined;
}

export interface SopsTree {
  readonly metadata: SopsMetadata;
  readonly leaves: readonly SopsLeaf[];
}

/** `not-sops`: not such a file at all; the others are forms that this doesn't read. */
export type SopsShapeFault = "not-sops" | "several-documents" | "key-groups" | "comment-rules";

const MOST_LEAVES = 10_000;

/**
 * Takes a SOPS file apart, YAML or JSON, which is YAML too: by one parser that keeps the order of
 * keys, since a JavaScript object would sort those that look like numbers. Never throws.
 */
export function readSops(text: string): SopsTree | { readonly fault: SopsShapeFault } {
  try {
    const documents = parseAllDocuments(text, {
      intAsBigInt: true,
      merge: false,
      logLevel: "silent",
    });
    if (!Array.isArray(documents) || documents.length === 0) return { fault: "not-sops" };
    const [document, another] = documents;
    if (document === undefined || document.errors.length > 0) return { fault: "not-sops" };
    if (another !== undefined) return { fault: "several-documents" };
    const root = document.contents;
    if (!isMap(root)) return { fault: "not-sops" };
    const metadata = readMetadata(root);
    if ("fault" in metadata) return metadata;
    const leaves: SopsLeaf[] = [];
    collect(document, root, { path: [], steps: [] }, leaves);
    return { metadata, leaves };
  } catch {
    return { fault: "not-sops" };
  }
}

function collect(
  document: Document,
  node: Node | null,
  at: { readonly path: readonly string[]; readonly steps: readonly string[] },
  leaves: SopsLeaf[],
): void {
  if (leaves.length > MOST_LEAVES) throw new RangeError("too many values");
  if (isAlias(node)) {
    collect(document, node.resolve(document) ?? null, at, leaves);
  } else if (isMap(node)) {
    for (const { key, value } of node.items) {
      const step = keyOf(key);
      if (at.path.length === 0 && step === "sops") continue;
      const next = { path: [...at.path, step], steps: [...at.steps, step] };
      collect(document, value as Node | null, next, leaves);
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const next = { path: at.path, steps: [...at.steps, String(index)] };
      collect(document, item as Node | null, next, leaves);
    }
  } else if (isScalar(node) && node.value !== null) {
    leaves.push({ ...at, text: print(node.value), isString: typeof node.value === "string" });
  }
}

/** Only string keys are possible in SOPS; others it refuses itself. */
function keyOf(key: unknown): string {
  if (isScalar(key)) return String(key.value);
  throw new TypeError("a key is no scalar");
}

/** As `ToBytes` does: sops.go. */
function print(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return printFloat(value);
  return String(value);
}

/** strconv.FormatFloat(x, 'f', -1, 64): the shortest digits, never an exponent. */
function printFloat(value: number): string {
  const text = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-])(\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = "", first = "", rest = "", direction, size = "0"] = parts;
  const digits = first + rest;
  const exponent = Number(size);
  return direction === "-"
    ? `${sign}0.${"0".repeat(exponent - 1)}${digits}`
    : `${sign}${digits.padEnd(exponent + 1, "0")}`;
}

function readMetadata(root: YAMLMap): SopsMetadata | { readonly fault: SopsShapeFault } {
  const sops: unknown = root.get("sops");
  if (!isMap(sops)) return { fault: "not-sops" };
  const said = sops.toJSON() as Record<string, unknown>;
  const textOf = (name: string): string => {
    const value = said[name];
    return typeof value === "string" ? value : "";
  };
  const regexOf = (name: string): RegExp | undefined =>
    textOf(name) === "" ? undefined : new RegExp(textOf(name), "u");
  const groups = listOf(said["key_groups"]);
  if (groups.length > 1 || Number(said["shamir_threshold"] ?? 0) > 1)
    return { fault: "key-groups" };
  if (textOf("unencrypted_comment_regex") !== "" || textOf("encrypted_comment_regex") !== "")
    return { fault: "comment-rules" };
  const [group] = groups;
  const age = listOf(group?.["age"] ?? said["age"]).flatMap(({ enc }) =>
    typeof enc === "string" ? [enc] : [],
  );
  return {
    age,
    lastModified: textOf("lastmodified"),
    mac: textOf("mac"),
    macOnlyEncrypted: said["mac_only_encrypted"] === true,
    unencryptedSuffix: textOf("unencrypted_suffix"),
    encryptedSuffix: textOf("encrypted_suffix"),
    unencryptedRegex: regexOf("unencrypted_regex"),
    encryptedRegex: regexOf("encrypted_regex"),
  };
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value)
    ? value.filter(
        (each): each is Record<string, unknown> => typeof each === "object" && each !== null,
      )
    : [];
}
