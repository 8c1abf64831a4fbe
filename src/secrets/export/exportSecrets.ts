import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { encryptAge, parseRecipients } from "../age/encryptAge.ts";
import { runForSecret } from "../runForSecret.ts";
import { SecretError } from "../SecretError.ts";
import type { SecretValue } from "../SecretValue.ts";
import { diskError, writePrivateFile } from "../writePrivateFile.ts";
import { encryptSops } from "./encryptSops.ts";

/** Encrypted forms, which are the only ones that anything is exported to. */
export const EXPORT_FORMS = ["age", "agenix", "sops", "systemd-creds"] as const;

export interface ExportOrder {
  readonly form: (typeof EXPORT_FORMS)[number];
  /** A folder; for `sops` a file, whose name tells whether it is YAML or JSON. */
  readonly out: string;
  /** Text as `age -R` takes it. For `systemd-creds`, which uses this machine's key, of no effect. */
  readonly recipients: string;
}

/**
 * Writes secrets in another program's encrypted form. What is there already is not replaced.
 *
 * @returns the files that were written, and for agenix what its secrets.nix needs.
 * @throws SecretError `exists`, `unsupported`, `missing` (no recipient), `command-missing`, `disk`, …
 */
export async function exportSecrets(
  values: ReadonlyMap<string, SecretValue>,
  { form, out, recipients: text }: ExportOrder,
): Promise<{ readonly files: readonly string[]; readonly note?: string }> {
  const recipients = parseRecipients(text);
  if (form !== "systemd-creds" && recipients.length === 0) {
    throw new SecretError("missing", "nobody is named to encrypt for", {
      hint: "name a file of public keys, one a line: --recipients FILE",
    });
  }
  if (form === "sops") {
    const bytes = await encryptSops(values, recipients, extname(out) === ".json" ? "json" : "yaml");
    await writePrivateFile(out, bytes, { replace: false });
    return { files: [out] };
  }
  const nameOf = (name: string): string =>
    join(out, form === "systemd-creds" ? name : `${name}.age`);
  for (const name of values.keys()) {
    if (existsSync(nameOf(name)))
      throw new SecretError("exists", `there is already a file at "${nameOf(name)}"`, {
        hint: "name another place, or remove it first",
      });
  }
  // All are encrypted before the first is written: a recipient that is none leaves nothing behind.
  const encrypted: [file: string, bytes: Uint8Array][] = [];
  for (const [name, value] of values) {
    const plain = Buffer.from(value.revealSecret());
    const bytes =
      form === "systemd-creds"
        ? await systemdEncrypt(name, plain)
        : await encryptAge(plain, { recipients });
    encrypted.push([nameOf(name), bytes]);
  }
  await mkdir(out, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw diskError(out, cause);
  });
  for (const [file, bytes] of encrypted) await writePrivateFile(file, bytes, { replace: false });
  const files = encrypted.map(([file]) => file);
  if (form !== "agenix") return { files };
  const rules = join(out, "secrets.nix");
  if (existsSync(rules)) return { files, note: `add to ${rules}:\n${entries(values, recipients)}` };
  const nix = `{\n${entries(values, recipients)}}\n`;
  await writePrivateFile(rules, Buffer.from(nix), { replace: false });
  return { files: [...files, rules] };
}

/** Lines for agenix's secrets.nix, by which `agenix --rekey` knows for whom each file is. */
function entries(values: ReadonlyMap<string, SecretValue>, recipients: readonly string[]): string {
  const keys = recipients.map((key) => `"${key.replaceAll(/[\\"]|\$\{/g, "\\$&")}"`).join(" ");
  return [...values.keys()].map((name) => `  "${name}.age".publicKeys = [ ${keys} ];\n`).join("");
}

async function systemdEncrypt(name: string, plain: Buffer): Promise<Buffer> {
  try {
    return await runForSecret(["systemd-creds", "encrypt", `--name=${name}`, "-", "-"], {
      input: plain,
    });
  } finally {
    plain.fill(0);
  }
}
