import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { stringify } from "yaml";
import { encryptAge } from "../age/encryptAge.ts";
import type { SecretValue } from "../SecretValue.ts";

/** A version of SOPS whose files have the form that is written here. */
const VERSION = "3.9.2";

/**
 * A SOPS file with each value under its name, encrypted for age recipients (github.com/getsops/sops,
 * aes/cipher.go and `Tree.Encrypt`).
 *
 * @param form which SOPS goes by, from the file's name.
 * @throws SecretError `unsupported` for a recipient of another kind
 */
export async function encryptSops(
  values: ReadonlyMap<string, SecretValue>,
  recipients: readonly string[],
  form: "yaml" | "json",
): Promise<Uint8Array> {
  const dataKey = randomBytes(32);
  const hash = createHash("sha512");
  const document: Record<string, unknown> = {};
  for (const [name, value] of values) {
    const text = Buffer.from(value.revealSecret());
    hash.update(text);
    document[name] = sealValue(text, dataKey, `${name}:`);
    text.fill(0);
  }
  const lastmodified = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const mac = Buffer.from(hash.digest("hex").toUpperCase());
  const age: { recipient: string; enc: string }[] = [];
  for (const recipient of recipients) {
    const bytes = await encryptAge(Buffer.from(dataKey), { recipients: [recipient] });
    age.push({ recipient, enc: armor(bytes) });
  }
  document["sops"] = {
    age,
    lastmodified,
    mac: sealValue(mac, dataKey, lastmodified),
    unencrypted_suffix: "_unencrypted",
    version: VERSION,
  };
  dataKey.fill(0);
  const text =
    form === "json"
      ? `${JSON.stringify(document, null, 2)}\n`
      : stringify(document, { lineWidth: 0 });
  return Buffer.from(text);
}

function sealValue(text: Buffer, key: Buffer, additional: string): string {
  const iv = randomBytes(32);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(Buffer.from(additional));
  const data = Buffer.concat([cipher.update(text), cipher.final()]).toString("base64");
  const tag = cipher.getAuthTag().toString("base64");
  return `ENC[AES256_GCM,data:${data},iv:${iv.toString("base64")},tag:${tag},type:str]`;
}

function armor(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [
    "-----BEGIN AGE ENCRYPTED FILE-----",
    ...lines,
    "-----END AGE ENCRYPTED FILE-----",
    "",
  ].join("\n");
}
