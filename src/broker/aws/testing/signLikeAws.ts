import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";

/** What AWS's own library is given and gives. */
export interface Signable {
  readonly method: string;
  readonly hostname: string;
  /** Percent-encoded, as it travels. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** SHA-256 in the shape that the library asks for. */
class Sha256 {
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined
        ? createHash("sha256")
        : createHmac(
            "sha256",
            typeof secret === "string" ? secret : Buffer.from(secret as Uint8Array),
          );
  }

  update(bytes: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof bytes === "string" ? bytes : Buffer.from(bytes as Uint8Array));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {
    // A hash here is used once.
  }
}

/** Signs a request by the library that AWS's clients sign with; gives all its headers. */
export async function signLikeAws(
  request: Signable,
  keys: Keys,
  where: { readonly region: string; readonly service: string; readonly at: Date },
): Promise<Record<string, string>> {
  const s3 = where.service === "s3";
  const signer = new SignatureV4({
    credentials: keys,
    region: where.region,
    service: where.service,
    sha256: Sha256,
    uriEscapePath: !s3,
    applyChecksum: s3,
  });
  const signed = await signer.sign(
    {
      protocol: "https:",
      method: request.method,
      hostname: request.hostname,
      path: request.path,
      query: { ...(request.query as Record<string, string | string[]>) },
      headers: { host: request.hostname, ...request.headers },
      body: request.body,
    },
    { signingDate: where.at },
  );
  return signed.headers;
}
