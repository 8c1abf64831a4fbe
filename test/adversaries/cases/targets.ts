import type { Case, Group } from "../Case.ts";
import { AUTH, get, sends } from "./http.ts";

/** Targets that name what must not be reached: nothing like it may arrive, in any spelling. */
const FORBIDDEN = [/ \/+admin/i, /%2e%2e/i, /\/\.\.(\/|;|\?| |$)/m] as const;

/** A target by which a rule for `/v1/models/**` could be led around. */
function path(name: string, what: string, target: string): Case {
  return {
    name: `path-${name}`,
    what,
    side: "bot",
    needs: ["rules"],
    bot: sends(get(target)),
    expect: { bot: "refused", neverUpstream: FORBIDDEN },
    codes: ["path-ambiguous", "target-form", "not-allowed", "malformed-request", "host-mismatch"],
  };
}

/** A request line that is not `METHOD /path HTTP/1.1`. */
function line(name: string, what: string, requestLine: string, end = "\r\n"): Case {
  return {
    name,
    what,
    side: "bot",
    bot: sends(`${requestLine}${end}${AUTH}Connection: close\r\n\r\n`),
    expect: { bot: "refused", withinMs: 45_000 },
    codes: [
      "malformed-request",
      "target-form",
      "path-ambiguous",
      "connect-method",
      "not-allowed",
      "host-mismatch",
      "header-flood",
    ],
  };
}

export const targets: Group = {
  name: "targets",
  cases: [
    {
      name: "control-path",
      what: "A plain path with percent-encoding and query arrives as it was sent.",
      side: "bot",
      bot: sends(get("/v1/models/a%20b;c=d/{id}?x=%2F..%2F&y=a//b")),
      expect: {
        bot: "served",
        exactly: 1,
        upstreamHas: ["GET /v1/models/a%20b;c=d/{id}?x=%2F..%2F&y=a//b HTTP/1.1"],
      },
    },
    path("dots", "Dot segments lead out of what is allowed.", "/v1/models/../../admin"),
    path("dots-end", "A dot segment at the end.", "/v1/models/x/.."),
    path("dots-encoded", "Encoded dots.", "/v1/models/%2e%2e/%2e%2e/admin"),
    path("dots-upper", "Encoded dots in upper case.", "/v1/models/%2E%2E/%2E%2E/admin"),
    path("dots-half", "One dot encoded, one plain.", "/v1/models/.%2e/%2e./admin"),
    path("dots-twice", "Dots that are encoded twice.", "/v1/models/%252e%252e/%252e%252e/admin"),
    path(
      "dots-parameters",
      "Dot segments with parameters, which Java servers take off first.",
      "/v1/models/..;/..;a=b/admin",
    ),
    path("dots-overlong", "Dots in overlong UTF-8.", "/v1/models/%c0%ae%c0%ae/admin"),
    path(
      "dots-fullwidth",
      "Full-width dots, which some normalise.",
      "/v1/models/%ef%bc%8e%ef%bc%8e%c0%af/admin",
    ),
    path("dot-single", "A single dot segment.", "/v1/models/./x"),
    path("slash-encoded", "An encoded slash.", "/v1/models/..%2fadmin"),
    path("slash-encoded-twice", "A slash encoded twice.", "/v1/models/..%252f..%252fadmin"),
    path("slash-overlong", "A slash in overlong UTF-8.", "/v1/models/..%c0%afadmin"),
    path("slash-overlong-3", "A slash in three bytes.", "/v1/models/..%e0%80%afadmin"),
    path("backslash", "A backslash, which some servers make a slash.", "/v1/models\\..\\..\\admin"),
    path("backslash-encoded", "An encoded backslash.", "/v1/models/..%5c..%5cadmin"),
    path(
      "double-slash",
      "Two slashes: some merge them, some take what follows for a host.",
      "//evil.test/v1/models/x",
    ),
    path("double-slash-inside", "Two slashes inside.", "/v1//models/x"),
    path("double-slash-dots", "Two slashes that swallow a dot segment.", "/v1/models//../../admin"),
    path("triple-slash", "Three slashes.", "///admin"),
    path(
      "nul",
      "An encoded NUL, behind which C programs see nothing.",
      "/v1/models/x%00/../../admin",
    ),
    path("crlf-encoded", "An encoded line end.", "/v1/models/x%0d%0aX-Evil:%201"),
    path("tab-encoded", "An encoded tab.", "/v1/models/..%09/admin"),
    path("percent-bare", "A percent sign with nothing behind it.", "/v1/models/%"),
    path("percent-u", "IIS's %u encoding.", "/v1/models/%u002e%u002e/admin"),
    path("percent-odd", "A percent sign with letters that aren't hex.", "/v1/models/%zz"),
    path(
      "letters-encoded",
      "Letters encoded so that a rule doesn't know them.",
      "/v1/%6d%6fdels/x",
    ),
    path("case", "Another case than the rule's.", "/V1/MODELS/x"),
    path("fragment", "A fragment in the target.", "/v1/models/x#/../../admin"),
    path("latin1", "Bytes beyond ASCII.", "/v1/models/\xe9"),
    path(
      "question-encoded",
      "Nothing but what is allowed, with another path in front of an encoded question mark.",
      "/admin%3f/v1/models/x",
    ),
    path(
      "parameters-prefix",
      "Parameters on the segment that a rule names.",
      "/v1/models;/../admin",
    ),
    path("other", "A path that no rule has.", "/admin"),
    path("longer-word", "A path that only begins like the rule's.", "/v1/modelsX/x"),
    path("empty", "The root.", "/"),

    line(
      "absolute",
      "An absolute target at a server that is no proxy.",
      "GET http://{host}/v1/models/{id} HTTP/1.1",
    ),
    line(
      "absolute-other",
      "An absolute target for another host than Host says.",
      "GET http://{other-host}/v1/models/{id} HTTP/1.1",
    ),
    line(
      "absolute-userinfo",
      "An absolute target with a name before an @.",
      "GET http://{host}@evil.test/v1/models/{id} HTTP/1.1",
    ),
    line(
      "absolute-file",
      "An absolute target of another scheme.",
      "GET file:///etc/passwd HTTP/1.1",
    ),
    line("authority", "An authority as a target without CONNECT.", "GET {host} HTTP/1.1"),
    line("asterisk-get", "An asterisk with GET.", "GET * HTTP/1.1"),
    {
      ...line(
        "asterisk-options",
        "An asterisk with OPTIONS, for which there is no rule.",
        "OPTIONS * HTTP/1.1",
      ),
      needs: ["rules"],
    },
    line("relative", "A target without a slash.", "GET v1/models/{id} HTTP/1.1"),
    line("question-only", "A target that is a query alone.", "GET ?x HTTP/1.1"),
    line("empty-target", "No target.", "GET  HTTP/1.1"),
    line("connect", "CONNECT at a server that is no proxy.", "CONNECT evil.test:443 HTTP/1.1"),
    line("connect-path", "CONNECT with a path.", "CONNECT /v1/models/{id} HTTP/1.1"),
    line("trace", "TRACE, which sends the credential back.", "TRACE /v1/models/{id} HTTP/1.1"),
    line("method-lower", "A method in lower case.", "get /v1/models/{id} HTTP/1.1"),
    line(
      "method-odd",
      "A method with a byte that methods don't have.",
      "GE\x01T /v1/models/{id} HTTP/1.1",
    ),
    line(
      "method-long",
      "A method of ten thousand letters.",
      `${"A".repeat(10_000)} /v1/models/{id} HTTP/1.1`,
    ),
    line("method-missing", "No method.", " /v1/models/{id} HTTP/1.1"),
    {
      ...line("method-unknown", "A method that no rule has.", "PURGE /v1/models/{id} HTTP/1.1"),
      needs: ["rules"],
    },
    line("version-09", "HTTP/0.9: a line without a version.", "GET /v1/models/{id}"),
    line("version-10", "HTTP/1.0.", "GET /v1/models/{id} HTTP/1.0"),
    line("version-12", "HTTP/1.2.", "GET /v1/models/{id} HTTP/1.2"),
    line("version-20", "HTTP/2.0 in a line of text.", "GET /v1/models/{id} HTTP/2.0"),
    line("version-99", "HTTP/9.9.", "GET /v1/models/{id} HTTP/9.9"),
    line("version-11x", "HTTP/1.1 with something behind it.", "GET /v1/models/{id} HTTP/1.1x"),
    line("version-lower", "http/1.1 in lower case.", "GET /v1/models/{id} http/1.1"),
    line(
      "version-huge",
      "A version number that overflows to 1.1.",
      "GET /v1/models/{id} HTTP/4294967297.1",
    ),
    line("version-hex", "HTTP/1.0x1.", "GET /v1/models/{id} HTTP/1.0x1"),
    line("preface", "The preface of HTTP/2 as text.", "PRI * HTTP/2.0", "\r\n\r\nSM\r\n\r\n"),
    {
      ...line(
        "space-twice",
        "Two spaces before the target, which some allow.",
        "GET  /v1/models/{id} HTTP/1.1",
      ),
      expect: { bot: "either" },
    },
    line("space-tab", "A tab for a space.", "GET\t/v1/models/{id}\tHTTP/1.1"),
    line(
      "space-inside",
      "A space inside of the target: where does it end?",
      "GET /v1/models/x HTTP/1.1 /admin HTTP/1.1",
    ),
    line("space-behind", "A space behind the version.", "GET /v1/models/{id} HTTP/1.1 "),
    line("line-lf", "A bare LF ends the request line.", "GET /v1/models/{id} HTTP/1.1", "\n"),
    line("line-cr", "A bare CR ends the request line.", "GET /v1/models/{id} HTTP/1.1", "\r"),
    line(
      "line-cr-inside",
      "A bare CR inside of the request line.",
      "GET /v1/models/{id}\rX-Evil: 1 HTTP/1.1",
    ),
    line("line-nul", "A NUL inside of the request line.", "GET /v1/models/\x00{id} HTTP/1.1"),
    line(
      "line-vertical-tab",
      "A form feed inside of the request line.",
      "GET\x0c/v1/models/{id} HTTP/1.1",
    ),
    line("bom", "A byte order mark before the method.", "\xef\xbb\xbfGET /v1/models/{id} HTTP/1.1"),
    line(
      "tls-inside",
      "A ClientHello where a request should be.",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ),
    line(
      "garbage",
      "Random bytes.",
      Buffer.from("7f454c4602010100dead\xff\xfe\x80\x81", "latin1").toString("latin1"),
    ),
    {
      name: "empty-lines",
      what: "A hundred empty lines before a request: at most a few are skipped.",
      side: "bot",
      bot: sends("\r\n".repeat(100) + get()),
      expect: { bot: "either" },
    },
    {
      name: "target-long",
      what: "A target of 64 KB.",
      side: "bot",
      bot: sends(get(`/v1/models/${"a".repeat(65_536)}`)),
      expect: { bot: "either", mostBytes: 100_000 },
    },
    {
      name: "query-long",
      what: "A query of a megabyte.",
      side: "bot",
      bot: [
        { send: "GET /v1/models/x?" },
        { send: "a".repeat(65_536), times: 16 },
        { send: ` HTTP/1.1\r\n${AUTH}\r\n` },
      ],
      expect: { bot: "refused" },
    },
  ],
};
