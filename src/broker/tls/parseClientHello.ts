/** What a ClientHello says, as far as the broker asks. */
export interface ClientHello {
  /** The one host_name of the server_name extension, lower case; absent when the extension is. */
  readonly serverName: string | undefined;
  /**
   * Whether another ClientHello is, or could be, sealed inside this one (Encrypted Client Hello, RFC 9849).
   *
   * Whoever has the host's keys then goes by the inner one: the server name out here may be anything
   * that a shared front end accepts, and the inner one another site behind the same front end. So in
   * a tunnel, where the server name is all there is to check, such a hello is refused. Where the broker
   * ends TLS itself it's harmless: OpenSSL ignores the extension, the outer name counts, and a client
   * that meant it gives up by itself.
   *
   * Browsers send a made-up extension always (GREASE, section 6.2), which is meant not to be told from
   * a real one, and isn't here: they reach tunnels only with ECH switched off, in Chromium by the
   * policy EncryptedClientHelloEnabled (net/socket/ssl_client_socket_impl.cc then sends none), in Firefox by
   * security.tls.ech.grease_probability = 0. OpenSSL, Node, Go, rustls, Java and Python send none unless
   * they are given a key for it, and the broker's DNS gives none.
   */
  readonly encrypted: boolean;
}

/**
 * `more`: the beginning is right, bytes are missing. `not-tls`: the first bytes are no TLS
 * handshake. `invalid`: anything else that isn't one whole well-formed ClientHello.
 */
export type HelloResult =
  { readonly hello: ClientHello } | { readonly fault: "more" | "not-tls" | "invalid" };

/** More than any client sends, post-quantum key shares included (about 2 KB, measured with OpenSSL 3.5). */
const LONGEST_HELLO = 16 * 1024;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
/** encrypted_client_hello, its drafts 8 to 12, and encrypted_server_name before them. */
const ENCRYPTED: ReadonlySet<number> = new Set([
  0xfe0d, 0xfe0c, 0xfe0b, 0xfe0a, 0xfe09, 0xfe08, 0xff04, 0xff03, 0xff02, 0xffce,
]);
/** Each record is at least one byte of handshake with five of header; a flood of tiny ones is refused. */
const MOST_RECORDS = 64;

/**
 * Reads the ClientHello at the start of a connection (RFC 8446 sections 4.1.2 and 5.1, RFC 6066
 * section 3), over as many records as it is cut into. Never throws. Strict: lengths must add up
 * exactly, no extension stands twice, the server name is one ASCII host name.
 */
export function parseClientHello(bytes: Buffer): HelloResult {
  const message = joinRecords(bytes);
  if ("fault" in message) return message;
  const reader = new Reader(message.body);
  reader.take(2 + 32); // legacy_version, random
  reader.vector(1); // session id
  reader.vector(2); // cipher suites
  reader.vector(1); // compression methods
  if (reader.failed) return { fault: "invalid" };
  if (reader.left === 0) return { hello: { serverName: undefined, encrypted: false } };
  const extensions = new Reader(reader.vector(2));
  if (reader.failed || reader.left !== 0) return { fault: "invalid" };
  const seen = new Set<number>();
  let serverName: string | undefined;
  let encrypted = false;
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (extensions.failed || seen.has(type)) return { fault: "invalid" };
    seen.add(type);
    encrypted ||= ENCRYPTED.has(type);
    if (type !== SERVER_NAME) continue;
    serverName = readServerName(data);
    if (serverName === undefined) return { fault: "invalid" };
  }
  return { hello: { serverName, encrypted } };
}

function joinRecords(bytes: Buffer): { body: Buffer } | { fault: "more" | "not-tls" | "invalid" } {
  const parts: Buffer[] = [];
  let have = 0;
  let at = 0;
  for (let records = 0; ; records += 1) {
    if (records > MOST_RECORDS) return { fault: "invalid" };
    const rest = bytes.length - at;
    if (rest > 0 && bytes[at] !== HANDSHAKE_RECORD)
      return { fault: at === 0 ? "not-tls" : "invalid" };
    if (rest > 1 && bytes[at + 1] !== 3) return { fault: at === 0 ? "not-tls" : "invalid" };
    if (rest < 5) return { fault: "more" };
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > 16384) return { fault: "invalid" };
    const part = bytes.subarray(at + 5, Math.min(at + 5 + length, bytes.length));
    parts.push(part);
    have += part.length;
    at += 5 + length;
    const start = Buffer.concat(parts.slice(0, 4));
    if (start.length > 0 && start[0] !== CLIENT_HELLO) return { fault: "invalid" };
    const whole = have >= 4 ? Buffer.concat(parts) : undefined;
    if (whole !== undefined) {
      const size = whole.readUIntBE(1, 3);
      if (size > LONGEST_HELLO) return { fault: "invalid" };
      // Nothing may follow the ClientHello in its record: the client has to wait for the answer.
      if (have > 4 + size) return { fault: "invalid" };
      if (have === 4 + size)
        return at <= bytes.length ? { body: whole.subarray(4) } : { fault: "invalid" };
    }
    if (at > bytes.length) return { fault: "more" };
  }
}

function readServerName(data: Buffer): string | undefined {
  const reader = new Reader(data);
  const list = new Reader(reader.vector(2));
  if (reader.failed || reader.left !== 0) return undefined;
  const type = list.number(1);
  const name = list.vector(2);
  if (list.failed || list.left !== 0 || type !== 0) return undefined;
  const text = name.toString("latin1");
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(text) && text.length <= 253
    ? text.toLowerCase()
    : undefined;
}

/** Takes bytes from the front; once something was missing, `failed` stays true and all reads give nothing. */
class Reader {
  failed = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    if (this.failed || length > this.left) {
      this.failed = true;
      return Buffer.alloc(0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(size: 1 | 2): number {
    const bytes = this.take(size);
    return this.failed ? 0 : bytes.readUIntBE(0, size);
  }

  /** A length of `size` bytes, then that many. */
  vector(size: 1 | 2): Buffer {
    return this.take(this.number(size));
  }
}
