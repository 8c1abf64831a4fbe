import { createDecipheriv, createHash, timingSafeEqual } from "node:crypto";
import { decryptAgeWithAny } from "../age/decryptAge.ts";
import type { AgeKey } from "../age/unwrapFileKey.ts";
import type { SopsLeaf, SopsMetadata, SopsTree } from "./readSops.ts";

/**
 * - `foreign`: encrypted for other age recipients; `no-age`: for none at all
 * - `damaged`: the data key or a value doesn't open; `mac`: all open, yet together they are not what
 *   was encrypted
 * - `absent`: nothing at that key, `branch`: more than one value
 */
export type SopsFault = "foreign" | "no-age" | "damaged" | "mac" | "absent" | "branch";

/** sops.go, `MACOnlyEncryptedInitialization`. */
const ONLY_ENCRYPTED = Buffer.from(
  "8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69",
  "hex",
);

/**
 * The value at `key` of a SOPS file, once the whole file has been checked: every value is opened, and
 * the MAC is over all of them (github.com/getsops/sops, `Tree.Decrypt`).
 */
export async function decryptSops(
  { metadata, leaves }: SopsTree,
  key: readonly string[],
  keys: readonly AgeKey[],
): Promise<{ readonly value: Buffer } | { readonly fault: SopsFault }> {
  const dataKey = await openDataKey(metadata, keys);
  if ("fault" in dataKey) return dataKey;
  const hash = createHash("sha512");
  if (metadata.macOnlyEncrypted) hash.update(ONLY_ENCRYPTED);
  let wanted: Buffer | undefined;
  let branch = false;
  try {
    for (const leaf of leaves) {
      const encrypted = isEncrypted(leaf.path, metadata);
      const text = encrypted ? openLeaf(leaf, dataKey.bytes) : Buffer.from(leaf.text);
      if (text === undefined) return { fault: "damaged" };
      if (encrypted || !metadata.macOnlyEncrypted) hash.update(text);
      if (isPrefix(key, leaf.steps)) {
        if (leaf.steps.length === key.length) wanted = text;
        else branch = true;
      }
      if (text !== wanted) text.fill(0);
    }
    const mac = openValue(metadata.mac, dataKey.bytes, metadata.lastModified);
    const computed = Buffer.from(hash.digest("hex").toUpperCase());
    if (mac?.text.length !== computed.length || !timingSafeEqual(mac.text, computed)) {
      wanted?.fill(0);
      return { fault: "mac" };
    }
  } finally {
    dataKey.bytes.fill(0);
  }
  if (wanted !== undefined) return { value: wanted };
  return { fault: branch ? "branch" : "absent" };
}

async function openDataKey(
  { age }: SopsMetadata,
  keys: readonly AgeKey[],
): Promise<{ readonly bytes: Buffer } | { readonly fault: SopsFault }> {
  if (age.length === 0) return { fault: "no-age" };
  // An SSH key is taken as ssh-to-age makes an X25519 identity of it too, which is what sops-nix does.
  const all = keys.flatMap((each): AgeKey[] =>
    "ssh" in each && each.ssh.kind === "ssh-ed25519" ? [each, { identity: each.ssh }] : [each],
  );
  for (const sealed of age) {
    const opened = await decryptAgeWithAny(Buffer.from(sealed), all);
    if ("text" in opened)
      return opened.text.length === 32 ? { bytes: opened.text } : { fault: "damaged" };
    if (opened.fault === "damaged") return { fault: "damaged" };
  }
  return { fault: "foreign" };
}

function openLeaf(leaf: SopsLeaf, dataKey: Buffer): Buffer | undefined {
  if (!leaf.isString) return undefined;
  // SOPS leaves an empty string as it is.
  if (leaf.text === "") return Buffer.alloc(0);
  const opened = openValue(leaf.text, dataKey, `${leaf.path.join(":")}:`);
  if (opened === undefined) return undefined;
  if (opened.type !== "bool") return opened.text;
  // strconv.ParseBool takes more spellings; ToBytes makes one of them.
  return Buffer.from(/^(?:1|t|true)$/i.test(opened.text.toString("latin1")) ? "True" : "False");
}

function openValue(
  sealed: string,
  dataKey: Buffer,
  additional: string,
): { readonly text: Buffer; readonly type: string } | undefined {
  const parts =
    /^ENC\[AES256_GCM,data:([^,]*),iv:([^,]+),tag:([^,]+),type:(str|int|float|bytes|bool|time|comment)\]$/.exec(
      sealed,
    );
  if (parts === null) return undefined;
  const [data, iv, tag] = parts.slice(1, 4).map((part) => Buffer.from(part, "base64"));
  if (!data || !iv || tag?.length !== 16 || iv.length === 0) return undefined;
  const cipher = createDecipheriv("aes-256-gcm", dataKey, iv, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(additional));
  cipher.setAuthTag(tag);
  const text = cipher.update(data);
  try {
    cipher.final();
  } catch {
    text.fill(0);
    return undefined;
  }
  return { text, type: parts[4] ?? "" };
}

/** As `Tree.shouldBeEncrypted`, without the rules that go by comments. */
function isEncrypted(path: readonly string[], metadata: SopsMetadata): boolean {
  const { unencryptedSuffix, encryptedSuffix, unencryptedRegex, encryptedRegex } = metadata;
  let encrypted = true;
  if (unencryptedSuffix !== "" && path.some((step) => step.endsWith(unencryptedSuffix)))
    encrypted = false;
  if (encryptedSuffix !== "") encrypted = path.some((step) => step.endsWith(encryptedSuffix));
  if (unencryptedRegex !== undefined && path.some((step) => unencryptedRegex.test(step)))
    encrypted = false;
  if (encryptedRegex !== undefined) encrypted = path.some((step) => encryptedRegex.test(step));
  return encrypted;
}

function isPrefix(key: readonly string[], steps: readonly string[]): boolean {
  return key.length <= steps.length && key.every((step, index) => step === steps[index]);
}
