import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { bech32 } from "@scure/base";
import { armor, Encrypter } from "age-encryption";

/** A value as SOPS writes it: its type, and its text as Go prints it. */
type Leaf =
  | string
  | { readonly type: "int" | "float" | "bool"; readonly text: string }
  | { readonly plain: string };
type Tree = Leaf | readonly Tree[] | { readonly [key: string]: Tree };

/**
 * A SOPS file as SOPS writes it (github.com/getsops/sops, `Tree.Encrypt` and aes/cipher.go), by the
 * library of age and with lists, types and nesting, which our own export never makes.
 *
 * @param recipients of age, each with a copy of the data key.
 */
export async function makeSops(
  tree: { readonly [key: string]: Tree },
  recipients: readonly string[],
  form: "yaml" | "json",
): Promise<string> {
  const key = randomBytes(32);
  const hash = createHash("sha512");
  const seal = (text: string, type: string, additional: string): string => {
    const iv = randomBytes(32);
    const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(additional));
    const data = Buffer.concat([cipher.update(text), cipher.final()]);
    const parts = [data, iv, cipher.getAuthTag()].map((part) => part.toString("base64"));
    return `ENC[AES256_GCM,data:${parts[0]},iv:${parts[1]},tag:${parts[2]},type:${type}]`;
  };
  const sealTree = (node: Tree, path: readonly string[]): unknown => {
    if (Array.isArray(node)) return node.map((each: Tree) => sealTree(each, path));
    if (typeof node === "object" && "plain" in node && typeof node.plain === "string") {
      hash.update(node.plain);
      return node.plain;
    }
    if (typeof node === "string" || isTyped(node)) {
      const { text, type } = typeof node === "string" ? { text: node, type: "str" } : node;
      hash.update(text);
      return seal(text, type, `${path.join(":")}:`);
    }
    return Object.fromEntries(
      Object.entries(node).map(([name, child]) => [name, sealTree(child, [...path, name])]),
    );
  };
  const document = sealTree(tree, []) as Record<string, unknown>;
  const lastmodified = "2026-03-01T10:20:30Z";
  const mac = seal(hash.digest("hex").toUpperCase(), "str", lastmodified);
  const age = await Promise.all(
    recipients.map(async (recipient) => {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      return { recipient, enc: armor.encode(await encrypter.encrypt(key)) };
    }),
  );
  const none = { kms: [], gcp_kms: [], azure_kv: [], hc_vault: [], pgp: [] };
  const sops = { ...none, age, lastmodified, mac, unencrypted_suffix: "_unencrypted" };
  const whole = { ...document, sops: { ...sops, version: "3.9.2" } };
  return form === "json" ? JSON.stringify(whole, undefined, 2) : `${yaml(whole, "").trimStart()}\n`;
}

function isTyped(node: Tree): node is { type: "int" | "float" | "bool"; text: string } {
  return typeof node === "object" && "type" in node && typeof node.type === "string";
}

/** In SOPS's own layout: four blanks, list items indented, texts of several lines as blocks. */
function yaml(node: unknown, indent: string): string {
  if (typeof node === "string") {
    if (node.includes("\n")) return `|\n${node.trimEnd().replaceAll(/^/gm, indent)}`;
    return /^[A-Za-z_][\w=+/,:[\]. -]*$/.test(node) ? node : JSON.stringify(node);
  }
  if (Array.isArray(node)) {
    if (node.length === 0) return "[]";
    const items = node.map((each) => `${indent}- ${yaml(each, `${indent}  `).trimStart()}`);
    return `\n${items.join("\n")}`;
  }
  const lines = Object.entries(node as Record<string, unknown>).map(([name, child]) => {
    const text = yaml(child, `${indent}    `);
    return `${indent}${name}:${text.startsWith("\n") ? "" : " "}${text}`;
  });
  return `\n${lines.join("\n")}`;
}

/**
 * The age recipient of an Ed25519 SSH key, as ssh-to-age computes it: the point's Montgomery form
 * (RFC 7748 section 4.1: u = (1 + y) / (1 - y)) as an X25519 public key.
 */
export function recipientOfSshKey(line: string): string {
  const blob = Buffer.from(line.split(" ")[1] ?? "", "base64");
  const prime = 2n ** 255n - 19n;
  const little = Uint8Array.from(blob.subarray(-32)).toReversed();
  const y = BigInt(`0x${Buffer.from(little).toString("hex")}`) & (2n ** 255n - 1n);
  const inverse = power((1n - y + prime) % prime, prime - 2n, prime);
  const u = ((1n + y) * inverse) % prime;
  const bytes = Buffer.from(u.toString(16).padStart(64, "0"), "hex").toReversed();
  return bech32.encodeFromBytes("age", bytes);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base, left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
