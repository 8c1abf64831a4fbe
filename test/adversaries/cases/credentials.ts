import type { Case, Group } from "../Case.ts";
import { get, post, sends } from "./http.ts";

const HOST = "Host: {host}\r\n";

/** A call that carries this instead of the right credential. */
function carries(name: string, what: string, fields: string, more: Partial<Case> = {}): Case {
  return {
    name,
    what,
    side: "bot",
    needs: ["credential", "rules"],
    bot: sends(`GET /v1/models/{id} HTTP/1.1\r\n${HOST}${fields}\r\n`),
    expect: { bot: "refused", neverUpstream: ["{secret}"] },
    codes: [
      "no-credential",
      "foreign-credential",
      "credential-repeated",
      "phantom-misplaced",
      "foreign-phantom",
      "malformed-request",
      "path-ambiguous",
    ],
    ...more,
  };
}

const NEVER_SECRET = { bot: "held", neverBot: ["{secret}"] } as const;

/** What comes back holds the secret in some form; the client must not get it. */
function echo(name: string, what: string, send: string, more: Partial<Case["expect"]> = {}): Case {
  return {
    name: `echo-${name}`,
    what,
    side: "upstream",
    needs: ["credential", "redaction"],
    upstream: { steps: [{ send }, { act: "end" }] },
    expect: { ...NEVER_SECRET, most: 1, ...more },
  };
}

const OK = "HTTP/1.1 200 OK\r\nConnection: close\r\n";

export const credentials: Group = {
  name: "credentials",
  cases: [
    {
      name: "control-phantom",
      what: "The client's stand-in in its place is replaced, and the server gets the real one.",
      side: "bot",
      needs: ["credential"],
      bot: sends(get()),
      expect: {
        bot: "served",
        exactly: 1,
        upstreamHas: ["{secret}"],
        neverUpstream: ["{phantom}"],
      },
    },
    carries("none", "No credential at all.", ""),
    carries("empty", "An empty credential.", "x-api-key:\r\n"),
    carries("other-service", "The stand-in for another service.", "x-api-key: {other-phantom}\r\n"),
    carries("foreign-client", "Another client's stand-in.", "x-api-key: {foreign-phantom}\r\n"),
    carries(
      "own-and-foreign",
      "Its own stand-in, and another client's in a second field.",
      "x-api-key: {phantom}\r\nx-debug: {foreign-phantom}\r\n",
    ),
    carries(
      "twice",
      "The field twice, with the stand-in both times.",
      "x-api-key: {phantom}\r\nx-api-key: {phantom}\r\n",
    ),
    carries(
      "twice-other",
      "The field twice, the second time with another credential.",
      "x-api-key: {phantom}\r\nx-api-key: sk-smuggled-of-mine\r\n",
    ),
    carries(
      "list",
      "The stand-in and another in one field.",
      "x-api-key: {phantom}, sk-of-mine\r\n",
    ),
    carries(
      "own-key",
      "A credential of the client's own, which would leave under the owner's name.",
      "x-api-key: sk-ant-of-the-attacker\r\n",
    ),
    carries(
      "own-key-beside",
      "A credential of its own beside the stand-in.",
      "x-api-key: {phantom}\r\nAuthorization: Bearer sk-of-the-attacker\r\n",
    ),
    carries("prefix", "Something before the stand-in.", "x-api-key: x{phantom}\r\n"),
    carries("suffix", "Something behind the stand-in.", "x-api-key: {phantom}x\r\n"),
    carries("comma", "A comma behind the stand-in.", "x-api-key: {phantom},\r\n"),
    carries(
      "other-header",
      "The stand-in in a field that isn't its place, which a server might send back.",
      "x-api-key: {phantom}\r\nUser-Agent: {phantom}\r\n",
    ),
    carries(
      "referer",
      "The stand-in in Referer.",
      "x-api-key: {phantom}\r\nReferer: https://x.test/?k={phantom}\r\n",
    ),
    carries(
      "cookie",
      "The stand-in in a cookie.",
      "x-api-key: {phantom}\r\nCookie: k={phantom}\r\n",
    ),
    carries(
      "name",
      "The stand-in as the name of a field.",
      "x-api-key: {phantom}\r\n{phantom}: x\r\n",
    ),
    carries(
      "basic",
      "The stand-in as a password for Basic, which isn't its place.",
      "Authorization: Basic e3BoYW50b219Og==\r\n",
    ),
    carries("scheme", "The stand-in behind another scheme.", "Authorization: Token {phantom}\r\n"),
    carries("folded", "The stand-in on a folded line.", "x-api-key:\r\n {phantom}\r\n"),
    {
      ...carries("query", "The stand-in in the query, which servers write into logs.", ""),
      bot: sends(get("/v1/models/x?key={phantom}")),
    },
    {
      ...carries("query-encoded", "The stand-in in the query, its first letter encoded.", ""),
      bot: sends(get("/v1/models/x?key=%73{phantom-rest}")),
      expect: { bot: "held", neverBot: ["{secret}"] },
    },
    {
      ...carries("path", "The stand-in in the path.", ""),
      bot: sends(get("/v1/models/{phantom}")),
    },
    {
      ...carries("body-foreign", "Another client's stand-in in the body.", ""),
      bot: sends(
        post(
          "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n",
          "{foreign-phantom-chunk}0\r\n\r\n",
        ),
      ),
      expect: { bot: "refused", most: 1, neverUpstream: ["{foreign-phantom}"] },
      codes: ["foreign-phantom-in-body", "foreign-phantom"],
    },
    {
      name: "body-own",
      what: "Its own stand-in in a body stays what it is: the real one never gets there.",
      side: "bot",
      needs: ["credential"],
      bot: sends(
        post(
          "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n",
          "{phantom-chunk}0\r\n\r\n",
        ),
      ),
      expect: { bot: "held", most: 1, neverUpstreamBody: ["{secret}"] },
    },
    {
      name: "header-injection",
      what: "A value that would split the head if it were decoded somewhere.",
      side: "bot",
      bot: sends(
        get(
          "/v1/models/x?a=%0d%0aX-Evil:%201%0d%0a",
          "X-A: a%0d%0aX-Evil: 1\r\nX-B: \xc4\x8d\xc4\x8aX-Evil: 1\r\n",
        ),
      ),
      expect: { bot: "either", neverUpstream: ["\r\nX-Evil: 1", "\nX-Evil"] },
    },
    {
      name: "guessing",
      what: "Two thousand guesses on one connection: none is right, and what is right still works.",
      side: "bot",
      needs: ["credential", "rules"],
      bot: Array.from({ length: 200 }, (_, round) => round).flatMap((round) => [
        { send: Array.from({ length: 10 }, (_, index) => guess(round * 10 + index)).join("") },
        { until: "answers" as const, count: (round + 1) * 10 },
      ]),
      expect: { bot: "refused", answers: 2000, withinMs: 90_000 },
    },
    echo(
      "header",
      "The server sends the credential back in a field.",
      `${OK}X-Echo: {secret}\r\n\r\nok`,
    ),
    echo("reason", "In the reason phrase.", `HTTP/1.1 200 {secret}\r\nContent-Length: 2\r\n\r\nok`),
    echo("body", "In the body.", `${OK}\r\nyour key is {secret}.`, { botHas: ["{phantom}"] }),
    echo("json", "In JSON.", `${OK}Content-Type: application/json\r\n\r\n{"key":"{secret}"}`),
    echo(
      "chunk-border",
      "Over the border of two chunks.",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n<\r\n{secret-chunked}0\r\n\r\n`,
    ),
    echo(
      "interim",
      "In an interim answer.",
      `HTTP/1.1 103 Early Hints\r\nLink: <{secret}>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
    ),
    echo(
      "trailer",
      "In a trailer.",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Key\r\n\r\n2\r\nok\r\n0\r\nX-Key: {secret}\r\n\r\n",
    ),
    echo(
      "location",
      "In a redirect's target.",
      "HTTP/1.1 302 Found\r\nLocation: https://evil.test/?k={secret}\r\nContent-Length: 0\r\n\r\n",
    ),
    echo("cookie", "In a cookie.", `${OK}Set-Cookie: k={secret}\r\n\r\nok`),
    echo(
      "error",
      "In the body of an error.",
      "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n{secret-chunk}0\r\n\r\n",
    ),
    echo("field-name", "As the name of a field.", `${OK}{secret}: x\r\n\r\nok`),
    echo("malformed", "In an answer that is no HTTP.", "{secret}\r\n\r\n{secret}"),
    echo("status-line", "In a status line that is none.", "HTTP/1.1 {secret}\r\n\r\n"),
    echo(
      "chunk-extension",
      "In a chunk extension.",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;{secret}\r\nok\r\n0\r\n\r\n",
    ),
    echo(
      "gzip",
      "In a body compressed by gzip.",
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n{secret-gzip-chunk}0\r\n\r\n",
      { neverBot: ["{secret}", "{secret-gzip}"] },
    ),
    echo(
      "gzip-unsaid",
      "In a body compressed by gzip that says it is text.",
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n{secret-chunk}0\r\n\r\n",
    ),
    echo(
      "gzip-twice",
      "In a body compressed twice.",
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nTransfer-Encoding: chunked\r\n\r\n{secret-gzip-twice-chunk}0\r\n\r\n",
      { neverBot: ["{secret}", "{secret-gzip-twice}"] },
    ),
    echo(
      "br",
      "In a body compressed by brotli.",
      "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n{secret-br-chunk}0\r\n\r\n",
      { neverBot: ["{secret}", "{secret-br}"] },
    ),
    echo(
      "base64",
      "In base64.",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{secret-base64-chunk}0\r\n\r\n",
      { neverBot: ["{secret-base64}"] },
    ),
    echo(
      "hex",
      "In hex.",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{secret-hex-chunk}0\r\n\r\n",
      { neverBot: ["{secret-hex}"] },
    ),
    echo(
      "unknown-coding",
      "In a coding that can't be undone.",
      `${OK}Content-Encoding: x-odd\r\n\r\n{secret}`,
    ),
    echo(
      "range",
      "In a partial answer.",
      "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-10/100\r\nTransfer-Encoding: chunked\r\n\r\n{secret-chunk}0\r\n\r\n",
    ),
  ],
};

function guess(index: number): string {
  return `GET /v1/models/x HTTP/1.1\r\n${HOST}x-api-key: sk-phantom-${index.toString(16).padStart(36, "0")}\r\n\r\n`;
}
