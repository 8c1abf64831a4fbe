import { isIP } from "node:net";
import { AuthorityError } from "./AuthorityError.ts";
import type { Authority } from "./ensureAuthority.ts";
import { loadX509, printPrivateKey, randomSerial, SIGNING } from "./loadX509.ts";

const HOUR_MS = 3_600_000;
/** For clocks that were ahead. Together with what it is good for less than the 825 days that Apple allows. */
const PAST_MS = 365 * 24 * HOUR_MS;
const DNS_NAME =
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A server's certificate and its key. */
export interface Leaf {
  /** PEM, as a TLS server sends it: the leaf alone, since its issuer is the trusted root. */
  readonly chain: string;
  /** PKCS#8 PEM. */
  readonly key: string;
  readonly notAfter: Date;
}

/**
 * Makes a key and a certificate for a TLS server that answers to all of `names` (DNS names, a leading
 * `*.` allowed, and IP addresses without brackets). Valid from an hour ago, for clocks that are a
 * little off, until `days` from now or the authority's own end.
 *
 * @throws AuthorityError `invalid-name` when a name is none, or there is none
 */
export async function issueLeaf(
  authority: Authority,
  names: readonly string[],
  { days }: { readonly days: number } = { days: 30 },
): Promise<Leaf> {
  const wanted = [...new Set(names.map((name) => name.toLowerCase()))].toSorted();
  if (wanted.length === 0) throw new AuthorityError("invalid-name", "a certificate needs a name");
  const alternatives = wanted.map((name) => {
    if (isIP(name) !== 0 && !name.includes("%")) return { type: "ip", value: name } as const;
    // A name that ends in a number is an address badly written, never a host (WHATWG URL, 3.5).
    if (name.length > 253 || !DNS_NAME.test(name) || /(^|\.)[0-9]+$/.test(name)) {
      throw new AuthorityError("invalid-name", `"${name}" is neither a DNS name nor an IP address`);
    }
    return { type: "dns", value: name } as const;
  });

  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.caPem);
  const pair = await crypto.subtle.generateKey(SIGNING, true, ["sign", "verify"]);
  const now = Date.now();
  const end = Math.min(now + days * 24 * HOUR_MS, authority.notAfter.getTime());
  // Certificates know whole seconds.
  const notAfter = new Date(end - (end % 1000));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: "CN=Seawall",
    issuer: issuer.subject,
    notBefore: new Date(now - PAST_MS),
    notAfter,
    signingAlgorithm: SIGNING,
    publicKey: pair.publicKey,
    signingKey: authority.signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternatives),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(pair.publicKey),
    ],
  });
  return {
    chain: `${certificate.toString("pem")}\n`,
    key: await printPrivateKey(pair.privateKey),
    notAfter,
  };
}
