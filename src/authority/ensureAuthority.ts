import { createPrivateKey, X509Certificate, type KeyObject, type webcrypto } from "node:crypto";
import { join } from "node:path";
import { AuthorityError } from "./AuthorityError.ts";
import {
  preparePrivateFolder,
  publishOnce,
  readAuthorityFile,
  removeUnfinished,
} from "./authorityFiles.ts";
import { loadX509, printPrivateKey, randomSerial, SIGNING } from "./loadX509.ts";

const HOUR_MS = 3_600_000;
/** Before any clock that runs: a machine whose clock was ahead when it made one has it set back. */
const SINCE = new Date("2000-01-01T00:00:00Z");
const TEN_YEARS_MS = 3652 * 24 * HOUR_MS;
/** It says what it is to whoever finds it in a trust store, and nothing about the deployment. */
const SUBJECT = "CN=Seawall deployment CA";

/** A deployment's own certificate authority, trusted inside its walls and nowhere else. */
export interface Authority {
  /** The certificate, PEM. */
  readonly caPem: string;
  readonly notAfter: Date;
  /** Signs leaves; not extractable. */
  readonly signingKey: webcrypto.CryptoKey;
}

/**
 * The authority kept in `folder`: `ca.key` (PKCS#8, 0600) and `ca.pem` (0644), made when they are not
 * there yet, each put in place whole. Two processes that make it at once end with the same one, and
 * a creation that was cut short is finished by the next.
 *
 * @throws AuthorityError `damaged`, `expired`, `unreadable`, `unsafe-mode`, `disk`
 */
export async function ensureAuthority(folder: string): Promise<Authority> {
  await preparePrivateFolder(folder);
  const keyFile = join(folder, "ca.key");
  const pemFile = join(folder, "ca.pem");

  let keyPem = await readAuthorityFile(keyFile, 0o077);
  if (keyPem === undefined) {
    // The key always comes first, so a certificate without one was not made by two of us at once,
    // unless its key appeared since we looked; publishing does not replace that.
    if ((await readAuthorityFile(pemFile, 0o022)) === undefined) {
      await publishOnce(keyFile, await generateKey(), 0o600);
    }
    keyPem = await readAuthorityFile(keyFile, 0o077);
    if (keyPem === undefined) throw damaged(`"${pemFile}" has no key beside it`, folder);
  }
  const key = parseKey(keyPem, keyFile, folder);

  let caPem = await readAuthorityFile(pemFile, 0o022);
  if (caPem === undefined) {
    await publishOnce(pemFile, await signOwnCertificate(key), 0o644);
    caPem = await readAuthorityFile(pemFile, 0o022);
    if (caPem === undefined) throw damaged(`"${pemFile}" has vanished`, folder);
  }
  const notAfter = checkCertificate(caPem, key, pemFile, folder);
  await removeUnfinished(keyFile);
  await removeUnfinished(pemFile);
  return { caPem, notAfter, signingKey: await importKey(key, false) };
}

async function generateKey(): Promise<string> {
  const pair = await crypto.subtle.generateKey(SIGNING, true, ["sign", "verify"]);
  return printPrivateKey(pair.privateKey);
}

/** Self-signed, for ten years, for certificates that are not authorities themselves (RFC 5280). */
async function signOwnCertificate(key: KeyObject): Promise<string> {
  const x509 = await loadX509();
  const privateKey = await importKey(key, true);
  const { d: _, key_ops: __, ...jwk } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await crypto.subtle.importKey("jwk", jwk, SIGNING, true, ["verify"]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: SUBJECT,
    notBefore: SINCE,
    notAfter: new Date(now + TEN_YEARS_MS),
    signingAlgorithm: SIGNING,
    keys: { privateKey, publicKey },
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

function parseKey(pem: string, file: string, folder: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw damaged(`"${file}" is not a private key`, folder);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw damaged(`"${file}" is not a P-256 key`, folder);
  }
  return key;
}

function checkCertificate(pem: string, key: KeyObject, file: string, folder: string): Date {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw damaged(`"${file}" is not a certificate`, folder);
  }
  // What is passed on as caPem must be this one certificate and nothing that follows it.
  if ((pem.match(/-----BEGIN /g) ?? []).length !== 1) {
    throw damaged(`"${file}" holds more than one certificate`, folder);
  }
  if (!certificate.ca || !certificate.checkPrivateKey(key)) {
    throw damaged(`"${file}" is not the authority of the key beside it`, folder);
  }
  if (certificate.validToDate.getTime() <= Date.now()) {
    throw new AuthorityError("expired", `the authority in "${folder}" has expired`, {
      hint: `remove ${folder} and start again: a new one is made, and the bots get it at their next start`,
    });
  }
  return certificate.validToDate;
}

async function importKey(key: KeyObject, extractable: boolean): Promise<webcrypto.CryptoKey> {
  const der = key.export({ format: "der", type: "pkcs8" });
  const imported = await crypto.subtle.importKey("pkcs8", der, SIGNING, extractable, ["sign"]);
  der.fill(0);
  return imported;
}

function damaged(what: string, folder: string): AuthorityError {
  return new AuthorityError("damaged", what, {
    hint: `restore ${folder} from a backup, or remove it: a new authority is made, and the bots get it at their next start`,
  });
}
