/**
 * Everything the broker refuses, with the HTTP status and the sentence the bot is told. The codes
 * stand in the audit record and in the reply; they are stable. No sentence holds anything that came
 * from the request, the secret or the upstream.
 */
const REFUSALS = {
  // identify
  "unknown-address": [421, "no grant has a host at this address and port"],
  "too-many-connections": [503, "too many connections at once"],
  "not-tls": [400, "this port speaks TLS"],
  "client-hello-invalid": [400, "the TLS ClientHello is not well formed"],
  "client-hello-slow": [408, "the TLS ClientHello did not arrive in time"],
  "sni-missing": [421, "the TLS ClientHello names no server"],
  "sni-mismatch": [421, "the TLS server name is not the host whose address was dialled"],
  "ech-refused": [
    421,
    "the TLS ClientHello hides the server name; switch Encrypted Client Hello off",
  ],
  "tls-handshake": [400, "the TLS handshake failed"],
  // match
  "malformed-request": [400, "the request is not well formed HTTP/1.1"],
  "request-slow": [408, "the request did not arrive in time"],
  "header-flood": [431, "the request has too many or too long headers"],
  "host-mismatch": [
    421,
    "there must be one Host header, and it must name the host that was dialled",
  ],
  "target-form": [400, "only targets of the form /path?query are accepted"],
  "path-ambiguous": [400, "the path could be read in two ways"],
  framing: [400, "the length of the request's body could be read in two ways"],
  expectation: [417, "the only expectation that is supported is 100-continue"],
  upgrade: [
    501,
    "the only protocol upgrade that is supported is a WebSocket, asked for by GET over HTTP/1.1",
  ],
  "websocket-invalid": [400, "the WebSocket's handshake or one of its frames is not well formed"],
  "proxy-token": [407, "the proxy needs its token: Proxy-Authorization, Bearer or Basic"],
  "connect-method": [405, "CONNECT is not supported: dial the host itself"],
  // decide
  "no-credential": [
    403,
    "the call carries no credential, and no rule allows it without one; send the token from the environment where the service expects it",
  ],
  "foreign-credential": [
    403,
    "the call carries a credential that is not this bot's token for the service",
  ],
  "credential-repeated": [400, "a credential stands twice in the call"],
  "credential-ambiguous": [400, "the place of the credential could be read in two ways"],
  "phantom-misplaced": [
    403,
    "the bot's token stands in a place where the service does not expect it",
  ],
  "foreign-phantom": [403, "the call carries a token that belongs to another grant"],
  "foreign-phantom-in-body": [
    403,
    "the request's body carries another bot's token; the call was cut",
  ],
  "aws-signature": [
    403,
    "the AWS signature is not by this bot's keys and of this request: Signature Version 4, all x-amz- headers signed",
  ],
  "aws-scope": [403, "the AWS signature is for a region or service that the grant doesn't have"],
  "aws-date": [403, "the AWS signature is more than fifteen minutes old, or of the future"],
  "aws-presigned": [
    403,
    "presigned URLs are not supported; sign the request in its Authorization header",
  ],
  "aws-payload": [
    403,
    "the body is not what was signed, or signed in pieces, which is not supported; sign its SHA-256 or UNSIGNED-PAYLOAD",
  ],
  "not-allowed": [403, "no rule of the grant allows this call"],
  denied: [403, "a rule of the grant denies this call"],
  "body-too-large": [413, "the body is too large to be checked before the call is made"],
  "too-many-bodies": [503, "the bot has too many large bodies under way that have to be checked"],
  "body-unreadable": [
    400,
    "the body can't be read as its Content-Type and Content-Encoding say, or in two ways",
  ],
  // admit
  "not-approved": [403, "the owner was asked about this call and did not allow it"],
  "too-many-asks": [429, "too many calls wait for the owner's word"],
  "rate-limit": [429, "the bot makes more calls per minute than its grant allows; wait a little"],
  "concurrency-limit": [429, "the bot has as many calls open as its grant allows"],
  "byte-limit": [429, "the bot has used up the bytes its grant allows for today"],
  "token-limit": [429, "the bot has used up the tokens its grant allows for today"],
  "money-limit": [402, "the bot has used up the money its grant allows for today"],
  "grant-withdrawn": [403, "the grant was changed while the call ran"],
  // content
  "content-link": [403, "the message has a link to a host that the grant doesn't allow"],
  "content-secret": [403, "the message holds a real credential"],
  "content-size": [413, "the message is longer than the grant allows"],
  // fetch secret, record
  "secret-unavailable": [
    503,
    "the credential can't be had at the moment, so the call was not made",
  ],
  "mint-failed": [
    503,
    "the credential is made when it is needed, which failed just now, so the call was not made; try again later",
  ],
  "mint-refused": [
    503,
    "the credential's provider refuses to make one, so the call was not made; the owner has to act",
  ],
  "audit-unwritable": [503, "the call can't be recorded, so it was not made"],
  // dial
  "address-refused": [502, "the host's address is not one that the grant allows"],
  "upstream-unreachable": [502, "the host can't be reached"],
  "proxy-failed": [502, "the proxy that leads to the host did not connect"],
  "upstream-untrusted": [502, "the host's certificate can't be trusted"],
  "upstream-protocol": [502, "the host did not answer with well formed HTTP"],
  "upstream-coding": [502, "the host's reply is compressed in a way that can't be searched"],
  // ingress
  "ingress-host": [403, "the Host and Origin headers must name this machine's loopback"],
  "ingress-token": [401, "this needs the gateway's token: Authorization: Bearer <token>"],
  "ingress-rate": [429, "too many connections or wrong tokens; wait a little"],
  "gateway-unreachable": [502, "the bot's gateway can't be reached"],
  // a bug of ours
  internal: [500, "the broker failed; the call was recorded"],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type RefusalCode = keyof typeof REFUSALS;

/** A call that does not go out, and why. */
export interface Refusal {
  readonly refused: RefusalCode;
  /** Seconds, for Retry-After. */
  readonly retryAfter?: number;
  /** For WWW-Authenticate; the status is then 401. */
  readonly challenge?: string;
}

export function refuse(code: RefusalCode, more: Omit<Refusal, "refused"> = {}): Refusal {
  return { refused: code, ...more };
}

export function isRefusal(value: object): value is Refusal {
  return "refused" in value;
}

/** HTTP status and the plain sentence for the bot. */
export function describeRefusal(code: RefusalCode): {
  readonly status: number;
  readonly message: string;
} {
  const [status, message] = REFUSALS[code];
  return { status, message };
}

/** The JSON body every refused call gets. */
export function refusalBody(code: RefusalCode): string {
  const { message } = describeRefusal(code);
  return `${JSON.stringify({ error: { type: "seawall_refused", code, message } })}\n`;
}
