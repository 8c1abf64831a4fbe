import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { SecretValue } from "../../secrets/index.ts";

const derive = promisify(pbkdf2);

/** Enough for any server; PostgreSQL's own is 4096. A hostile one would keep this process busy. */
const MOST_ITERATIONS = 1_000_000;

/** `\0user\0password` in base64, for AUTHENTICATE and AUTH PLAIN (RFC 4616). */
export function plainResponse(user: string, secret: SecretValue): string {
  return Buffer.from(`\0${user}\0${secret.revealSecret()}`).toString("base64");
}

/** PostgreSQL's password message, without its type and length: a C string. */
export function postgresPassword(secret: SecretValue): Buffer {
  return Buffer.from(`${secret.revealSecret()}\0`);
}

/** `md5` + md5(md5(password + user) + salt), as AuthenticationMD5Password wants it. */
export function postgresMd5(user: string, secret: SecretValue, salt: Buffer): Buffer {
  const inner = md5(Buffer.from(`${secret.revealSecret()}${user}`));
  return Buffer.from(`md5${md5(Buffer.concat([Buffer.from(inner), salt]))}\0`);
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** A SCRAM-SHA-256 conversation (RFC 5802, RFC 7677), the client's side of it, without channel binding. */
export class ScramClient {
  readonly #secret: SecretValue;
  readonly #nonce = randomBytes(18).toString("base64");
  #serverSignature: Buffer | undefined;

  constructor(secret: SecretValue) {
    this.#secret = secret;
  }

  /** client-first-message. PostgreSQL takes the user's name from elsewhere and wants none here. */
  first(): string {
    return `n,,${this.#first()}`;
  }

  /** client-final-message; `undefined` when the server's message can't be answered. */
  async final(serverFirst: string): Promise<string | undefined> {
    const { r: nonce, s: salt, i: count } = readFields(serverFirst);
    const iterations = Number(count);
    if (nonce === undefined || salt === undefined || !nonce.startsWith(this.#nonce))
      return undefined;
    if (!Number.isInteger(iterations) || iterations < 1 || iterations > MOST_ITERATIONS)
      return undefined;
    const salted = await derive(
      this.#secret.revealSecret().normalize("NFKC"),
      Buffer.from(salt, "base64"),
      iterations,
      32,
      "sha256",
    );
    const withoutProof = `c=biws,r=${nonce}`;
    const message = `${this.#first()},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, "Client Key");
    const storedKey = createHash("sha256").update(clientKey).digest();
    const signature = hmac(storedKey, message);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    this.#serverSignature = hmac(hmac(salted, "Server Key"), message);
    return `${withoutProof},p=${proof.toString("base64")}`;
  }

  /** Whether the server has shown that it knows the password too. */
  verify(serverFinal: string): boolean {
    const { v } = readFields(serverFinal);
    const said = Buffer.from(v ?? "", "base64");
    const wanted = this.#serverSignature;
    return wanted !== undefined && said.length === wanted.length && timingSafeEqual(said, wanted);
  }

  #first(): string {
    return `n=,r=${this.#nonce}`;
  }
}

function readFields(message: string): Partial<Record<string, string>> {
  return Object.fromEntries(
    message.split(",").map((part): [string, string] => [part.slice(0, 1), part.slice(2)]),
  );
}

function hmac(key: Buffer, message: string): Buffer {
  return createHmac("sha256", key).update(message).digest();
}
