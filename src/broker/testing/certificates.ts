import type * as X509 from "@peculiar/x509";
import { isIP } from "node:net";

/** @peculiar/x509 needs the polyfill before it is loaded. */
async function loadX509(): Promise<typeof X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate authority for tests. */
export interface TestAuthority {
  /** PEM of the CA's certificate. */
  readonly ca: string;
  /** A leaf for these names and addresses. */
  issue(
    names: readonly string[],
    change?: {
      readonly notBefore?: Date;
      readonly notAfter?: Date;
      /** Extended key usages, as OIDs. */
      readonly usages?: readonly string[];
      /** Signed by its own key instead of the CA's. */
      readonly selfSigned?: boolean;
    },
  ): Promise<{ readonly chain: string; readonly key: string }>;
}

/** Makes a CA with keys of its own. */
export async function makeAuthority(name: string): Promise<TestAuthority> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    ca: root.toString("pem"),
    async issue(names, change = {}) {
      const leafKeys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `CN=${names[0] ?? ""}`,
        issuer: change.selfSigned === true ? `CN=${names[0] ?? ""}` : root.subject,
        publicKey: leafKeys.publicKey,
        signingKey: change.selfSigned === true ? leafKeys.privateKey : keys.privateKey,
        signingAlgorithm: ALGORITHM,
        notBefore: change.notBefore ?? new Date(Date.now() - 7_200_000),
        notAfter: change.notAfter ?? new Date(Date.now() + 3_600_000),
        extensions: [
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({
              type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const),
              value,
            })),
          ),
          ...(change.usages === undefined
            ? []
            : [new x509.ExtendedKeyUsageExtension([...change.usages])]),
        ],
      });
      const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", leafKeys.privateKey)).toString(
        "base64",
      );
      return {
        chain: leaf.toString("pem"),
        key: `-----BEGIN PRIVATE KEY-----\n${key.replaceAll(/(.{64})/g, "$1\n")}\n-----END PRIVATE KEY-----\n`,
      };
    },
  };
}
