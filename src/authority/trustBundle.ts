/**
 * The certificates trusted inside a wall: the system's bundle with the deployment's CA behind it, as
 * one PEM file for `/etc/ssl/certs/ca-certificates.crt`, `SSL_CERT_FILE` and `NODE_EXTRA_CA_CERTS`.
 */
export function trustBundle(systemBundlePem: string, caPem: string): string {
  // A bundle without a last line end would swallow our first line.
  const system = systemBundlePem.trimEnd();
  return `${system === "" ? "" : `${system}\n`}${caPem.trim()}\n`;
}
