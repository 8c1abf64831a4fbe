import { ALGORITHM } from "./signature.ts";

/** An Authorization header of Signature Version 4, taken apart. */
export interface AwsAuthorization {
  readonly keyId: string;
  /** Of the scope: `20150830`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signed: readonly string[];
  /** Hex. */
  readonly signature: string;
}

const FIELDS = new RegExp(
  `^${ALGORITHM} +Credential=([^/,\\s]{1,128})/(\\d{8})/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/aws4_request` +
    String.raw`, *SignedHeaders=([a-z0-9;!#$%&'*+.^_|~-]{1,4096}), *Signature=([0-9a-f]{64})$`,
);

/** Reads the header in the one form and order that clients send it in; `undefined` for any other. */
export function readAuthorization(value: string): AwsAuthorization | undefined {
  const [, keyId, date, region, service, names, signature] = FIELDS.exec(value) ?? [];
  if (
    keyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    names === undefined ||
    signature === undefined
  )
    return undefined;
  const signed = names.split(";");
  const inOrder = signed.every(
    (name, at) => name !== "" && (at === 0 || (signed[at - 1] ?? "") < name),
  );
  return inOrder ? { keyId, date, region, service, signed, signature } : undefined;
}
