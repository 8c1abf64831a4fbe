import { ShapeFinder } from "../../shapes/index.ts";

/** Files that hold keys by what they are called (git-credential-store(1), netrc(5), ssh-keygen(1), …). */
const NAMES =
  /(?:^|\/)(?:\.env(?:\.(?!example$|sample$|template$)[^/]*)?|\.netrc|\.pgpass|\.git-credentials|\.npmrc|\.pypirc|id_(?:rsa|dsa|ecdsa|ed25519)|[^/]+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|age-key))$/iu;

/** Why a file looks as if it held a secret, if it does. */
export async function heldBecause(path: string, bytes: Buffer): Promise<string | undefined> {
  if (NAMES.test(path)) return "files of this name usually hold a secret";
  // Text: what is in other files would be found by chance.
  if (bytes.includes(0)) return undefined;
  const [shape] = await new ShapeFinder().find(bytes.toString("latin1"), path);
  return shape === undefined ? undefined : `something in it looks like a secret (${shape.rule})`;
}
