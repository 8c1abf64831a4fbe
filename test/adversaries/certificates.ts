import { makeAuthority } from "../../src/broker/testing/certificates.ts";
import type { Certificates } from "./Upstream.ts";

/** The stand-in server's certificates for these names, and the CA that the good one is of. */
export async function makeCertificates(
  names: readonly string[],
): Promise<{ readonly ca: string; readonly certificates: Certificates }> {
  const authority = await makeAuthority("adversaries");
  const past = new Date(Date.now() - 60_000);
  return {
    ca: authority.ca,
    certificates: {
      good: await authority.issue(names),
      expired: await authority.issue(names, { notAfter: past }),
      "wrong-name": await authority.issue(["wrong.adversary.test"]),
      "other-authority": await (await makeAuthority("mallory")).issue(names),
      // Its issuer's name is its own subject's, and nobody knows the issuer.
      "self-signed": await (await makeAuthority(names[0] ?? "")).issue(names),
    },
  };
}
