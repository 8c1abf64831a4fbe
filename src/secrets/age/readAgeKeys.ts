import { SecretError } from "../SecretError.ts";
import type { SecretValue } from "../SecretValue.ts";
import { readTrustedFile } from "../trustedFile.ts";
import { parseAgeIdentity } from "./AgeIdentity.ts";
import { decryptAge } from "./decryptAge.ts";
import { isArmored } from "./dearmor.ts";
import { isAgeFile } from "./readAgeHeader.ts";
import { isSshKey, parseSshIdentity, type SshFault } from "./SshIdentity.ts";
import type { AgeKey } from "./unwrapFileKey.ts";

/** Hundreds of identities, or the largest RSA key. */
const LIMIT = 64 * 1024;

export interface AgeKeyPlace {
  readonly path: string;
  /** Opens an identity file that is itself encrypted with one. */
  readonly passphrase?: SecretValue;
  readonly botReadable?: readonly string[];
}

/**
 * Reads what opens age files: an identity file as `age-keygen` writes it (several lines are several
 * identities), that encrypted with a passphrase, or an SSH private key.
 *
 * @throws SecretError of `readTrustedFile`; `locked`, `wrong-passphrase`, `damaged`; `unsupported` for
 * plugins', post-quantum and hardware identities, and SSH keys with a passphrase of their own
 */
export async function readAgeKeys(place: AgeKeyPlace): Promise<AgeKey[]> {
  const { bytes, path } = await readTrustedFile(place.path, {
    what: "identity",
    limit: LIMIT,
    holds: "secret",
    ...(place.botReadable === undefined ? {} : { botReadable: place.botReadable }),
  });
  const text = (await unlock(bytes, path, place.passphrase)).toString("utf8");
  return isSshKey(text) ? [readSsh(text, path)] : readLines(text, path);
}

async function unlock(
  bytes: Buffer,
  path: string,
  passphrase: SecretValue | undefined,
): Promise<Buffer> {
  if (!isAgeFile(bytes) && !isArmored(bytes)) {
    if (passphrase === undefined) return bytes;
    throw new SecretError("locked", `identity "${path}" has no passphrase, yet one was given`, {
      hint: 'take "passphrase" out',
    });
  }
  if (passphrase === undefined) {
    throw new SecretError("locked", `identity "${path}" needs its passphrase`, {
      hint: 'name the secret that holds it, as passphrase: "NAME"',
    });
  }
  const opened = await decryptAge(bytes, { passphrase: passphrase.revealSecret() });
  if ("text" in opened) return opened.text;
  throw opened.fault === "foreign"
    ? new SecretError("wrong-passphrase", `that is not the passphrase of identity "${path}"`)
    : damaged(path);
}

function readSsh(text: string, path: string): AgeKey {
  const parsed = parseSshIdentity(text);
  if ("identity" in parsed) return { ssh: parsed.identity };
  throw sshError(parsed.fault, path);
}

function sshError(fault: SshFault, path: string): SecretError {
  switch (fault) {
    case "sealed":
      return new SecretError("unsupported", `SSH key "${path}" has a passphrase of its own`, {
        hint: "use a key without one, readable by you alone, or an age identity",
      });
    case "unsupported":
      return new SecretError("unsupported", `SSH key "${path}" is neither ssh-ed25519 nor ssh-rsa`);
    case "damaged":
      return damaged(path);
    default:
      return fault satisfies never;
  }
}

function readLines(text: string, path: string): AgeKey[] {
  const lines = text.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#"));
  const keys = lines.map((line): AgeKey => {
    const identity = parseAgeIdentity(line);
    if (identity !== undefined) return { identity };
    if (/^AGE-(?:PLUGIN-|SECRET-KEY-PQ-)/.test(line)) {
      throw new SecretError(
        "unsupported",
        `identity "${path}" is a plugin's or a post-quantum one`,
        {
          hint: "use an X25519 identity, as age-keygen makes it",
        },
      );
    }
    throw damaged(path);
  });
  if (keys.length === 0) throw damaged(path);
  return keys;
}

function damaged(path: string): SecretError {
  return new SecretError(
    "damaged",
    `identity "${path}" is neither an age identity nor an SSH key`,
    {
      hint: "name the private key's file; it may have been cut short",
    },
  );
}
