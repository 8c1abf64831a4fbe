import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { BrokerError } from "../BrokerError.ts";
import type { Deployment } from "../Deployment.ts";
import type { ClientCertificate } from "../dial/upstreamTls.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/** The client certificates of a deployment, checked once each and again when the secret has changed. */
export class ClientCertificates {
  readonly #read = new Map<
    string,
    { readonly value: string; readonly certificate: ClientCertificate }
  >();

  /** As `readClientCertificate`. */
  async get(
    deployment: Pick<Deployment, "secrets" | "store">,
    name: string,
  ): Promise<ClientCertificate> {
    const value = await readPem(deployment, name);
    const before = this.#read.get(name);
    if (before?.value === value) return before.certificate;
    const certificate = parsePem(name, value);
    this.#read.set(name, { value, certificate });
    return certificate;
  }
}

/**
 * The client certificate behind a secret's name: PEM text with one private key, not encrypted, and
 * the certificates from the bot's own upward, in any order of the two. It is given to OpenSSL for
 * handshakes and travels nowhere itself, so it may have line breaks.
 *
 * @throws SecretError when the store can't give it; BrokerError `secret-unusable` when it is not
 * such a text or key and certificate don't belong together. Neither message holds anything of it.
 */
export async function readClientCertificate(
  deployment: Pick<Deployment, "secrets" | "store">,
  name: string,
): Promise<ClientCertificate> {
  return parsePem(name, await readPem(deployment, name));
}

async function readPem(
  deployment: Pick<Deployment, "secrets" | "store">,
  name: string,
): Promise<string> {
  const source = deployment.secrets.get(name);
  if (source === undefined)
    throw new BrokerError("config-invalid", `secret "${name}" is not configured`);
  return (await deployment.store.read(source)).revealSecret();
}

function parsePem(name: string, text: string): ClientCertificate {
  const keys: string[] = [];
  const certificates: string[] = [];
  for (const [block, label = ""] of text.matchAll(BLOCK)) {
    if (label === "CERTIFICATE") certificates.push(block);
    else if (/^(?:(?:RSA|EC) )?PRIVATE KEY$/.test(label)) keys.push(block);
    else if (label !== "EC PARAMETERS")
      throw unusable(name, "something that is neither a certificate nor a plain private key");
  }
  const [key, ...more] = keys;
  const [own] = certificates;
  if (key === undefined || more.length > 0 || own === undefined)
    throw unusable(name, "not one private key and at least one certificate");
  const pair = parse(key, certificates);
  if (pair === undefined) throw unusable(name, "a key or certificate that can't be read");
  if (!pair.certificate.checkPrivateKey(pair.key))
    throw unusable(name, "a key that is not the first certificate's");
  return { cert: certificates.join("\n"), key };
}

/** OpenSSL's errors may tell something of what they are about, so none of them is passed on. */
function parse(
  key: string,
  certificates: readonly string[],
): { readonly key: KeyObject; readonly certificate: X509Certificate } | undefined {
  try {
    const [certificate] = certificates.map((pem) => new X509Certificate(pem));
    return certificate && { key: createPrivateKey(key), certificate };
  } catch {
    return undefined;
  }
}

function unusable(name: string, what: string): BrokerError {
  return new BrokerError("secret-unusable", `client certificate "${name}" holds ${what}`, {
    hint: "store PEM text: the private key and its certificate, then those that signed it",
  });
}
