import type { Case, Group, Via } from "../Case.ts";
import { get, NEVER_SMUGGLED, post, sends, SMUGGLED } from "./http.ts";

const CODES = [
  "target-form",
  "host-mismatch",
  "unknown-address",
  "malformed-request",
  "framing",
  "connect-method",
  "proxy-token",
  "phantom-misplaced",
  "foreign-phantom",
  "path-ambiguous",
  "header-flood",
  "not-allowed",
];

/** A CONNECT that leads nowhere. */
function connect(name: string, what: string, authority: string, fields?: string): Case {
  const head = fields ?? `Host: ${authority}\r\n{proxy-auth}`;
  return raw(`connect-${name}`, what, `CONNECT ${authority} HTTP/1.1\r\n${head}\r\n`);
}

/** Bytes at the proxy's port that must bring nothing. */
function raw(name: string, what: string, text: string): Case {
  return {
    name,
    what,
    side: "bot",
    needs: ["proxy"],
    via: { proxy: true },
    bot: sends(text),
    expect: { bot: "refused", withinMs: 45_000, neverUpstream: NEVER_SMUGGLED },
    codes: CODES,
  };
}

/** The same with a port that has to be reckoned. */
function port(name: string, what: string, spell: (port: number) => string): Case {
  return {
    ...raw(`connect-port-${name}`, what, ""),
    bot: [
      {
        send: (fill) => {
          const authority = fill(`{name}:${spell(Number(fill("{port}")))}`);
          return Buffer.from(
            fill(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n{proxy-auth}\r\n`),
          );
        },
      },
    ],
  };
}

/** What a client does behind a CONNECT that was right. */
function inside(
  name: string,
  what: string,
  text: string,
  via: Via = {},
  expect: Partial<Case["expect"]> = {},
): Case {
  return {
    name: `inside-${name}`,
    what,
    side: "bot",
    needs: ["proxy", "tls"],
    via: { tunnel: "{host}", ...via },
    bot: sends(text),
    expect: { bot: "refused", neverUpstream: NEVER_SMUGGLED, ...expect },
  };
}

const TO = "{host}";

export const proxy: Group = {
  name: "proxy",
  cases: [
    inside("control", "A call through CONNECT and TLS is served.", get(), {}, {
      bot: "served",
      exactly: 1,
    }),
    inside(
      "control-post",
      "So is one with a body, and another one after it.",
      `${post("Content-Length: 2\r\n", "{}")}${get()}`,
      {},
      { bot: "served", answers: 2, exactly: 2 },
    ),
    connect("host-twice", "Two equal Hosts.", TO, `Host: ${TO}\r\nHost: ${TO}\r\n{proxy-auth}`),
    connect("host-twice-other", "Two Hosts that disagree.", TO, `Host: ${TO}\r\nHost: evil.test:443\r\n{proxy-auth}`),
    connect("host-none", "No Host.", TO, "{proxy-auth}"),
    connect("host-empty", "An empty Host.", TO, "Host: \r\n{proxy-auth}"),
    connect("host-other", "The Host of another grant.", TO, "Host: {other-host}\r\n{proxy-auth}"),
    connect("host-user", "A user in Host.", TO, `Host: a@${TO}\r\n{proxy-auth}`),
    connect("host-blank", "A blank before Host's colon.", TO, `Host : ${TO}\r\n{proxy-auth}`),
    connect("host-folded", "Host goes on in the next line.", TO, `Host: {name}\r\n :{port}\r\n{proxy-auth}`),
    connect("user", "A user before the host.", `user@${TO}`),
    connect("user-host", "The granted host as the user of another.", `${TO}@evil.test:443`),
    connect("fragment", "The granted host as the fragment of another.", `evil.test:443#${TO}`),
    connect("query", "The granted host in the query of another.", `evil.test:443?${TO}`),
    connect("path", "A path behind the port.", `${TO}/`),
    connect("scheme", "A whole URL.", `https://${TO}`),
    connect("slashes", "Two slashes before the host.", `//${TO}`),
    connect("dot", "A dot at the name's end.", "{name}.:{port}"),
    connect("percent", "An encoded letter in the name.", "%61{name}:{port}"),
    connect("nul", "A NUL within the name.", "{name}\0.evil.test:{port}"),
    connect("backslash", "A backslash behind the name.", "{name}\\.evil.test:{port}"),
    connect("list", "Two authorities.", `${TO},evil.test:443`),
    connect("blank", "Two authorities with a blank between.", `${TO} evil.test:443`),
    connect("brackets", "A name in the brackets of an address.", "[{name}]:{port}"),
    connect("unknown", "A host that was not granted.", "evil.test:443"),
    connect("suffix", "A name that ends like a granted one.", "evil{name}:{port}"),
    connect("address", "The loopback, where servers of this machine listen.", "127.0.0.1:{port}"),
    connect("address-6", "The loopback in IPv6.", "[::1]:{port}"),
    connect("address-mapped", "The loopback as IPv4 within IPv6.", "[::ffff:127.0.0.1]:{port}"),
    connect("address-number", "The loopback as one number.", "2130706433:{port}"),
    connect("address-octal", "The loopback with octal digits.", "0177.0.0.1:{port}"),
    connect("address-any", "The address that means any.", "0.0.0.0:{port}"),
    connect("address-zone", "An address with a zone.", "[fe80::1%25lo]:{port}"),
    connect("metadata", "The metadata service of a cloud.", "169.254.169.254:80"),
    port("none", "No port.", () => ""),
    port("zero", "Port 0.", () => "0"),
    port("leading-zero", "A leading zero.", (number) => `0${number}`),
    port("plus", "A sign before the port.", (number) => `+${number}`),
    port("blank", "A blank before the port.", (number) => ` ${number}`),
    port("wrapped", "A port that is the granted one modulo 65536.", (number) => String(number + 65_536)),
    port("wrapped-32", "The same modulo 2³².", (number) => String(number + 2 ** 32)),
    port("hex", "The port in hexadecimal digits.", (number) => `0x${number.toString(16)}`),
    port("other", "Another port of a granted host.", (number) => String(number === 443 ? 80 : 443)),
    port("twice", "Two ports.", (number) => `${number}:${number}`),
    connect("token-none", "No token.", TO, `Host: ${TO}\r\n`),
    connect("token-wrong", "Another token.", TO, `Host: ${TO}\r\nProxy-Authorization: Bearer {proxy-token}x\r\n`),
    connect("token-twice", "The token and another one.", TO, `Host: ${TO}\r\n{proxy-auth}Proxy-Authorization: Bearer x\r\n`),
    connect("token-list", "Two tokens in one field.", TO, `Host: ${TO}\r\nProxy-Authorization: Bearer {proxy-token}, Bearer x\r\n`),
    connect("token-elsewhere", "The token in Authorization.", TO, `Host: ${TO}\r\nAuthorization: Bearer {proxy-token}\r\n`),
    connect("token-underscore", "The token in a field that only CGI takes for the right one.", TO, `Host: ${TO}\r\nProxy_Authorization: Bearer {proxy-token}\r\n`),
    connect("token-trailer", "The token behind the head.", TO, `Host: ${TO}\r\n\r\n{proxy-auth}`),
    connect("phantom-token", "A phantom in place of the token.", TO, `Host: ${TO}\r\nProxy-Authorization: Bearer {phantom}\r\n`),
    connect("phantom-header", "A phantom beside the token.", TO, `Host: ${TO}\r\n{proxy-auth}x-api-key: {phantom}\r\n`),
    connect("phantom-foreign", "Another client's phantom beside the token.", TO, `Host: ${TO}\r\n{proxy-auth}X-A: {foreign-phantom}\r\n`),
    connect("phantom-name", "A phantom as the name of a header.", TO, `Host: ${TO}\r\n{proxy-auth}X-{phantom}: 1\r\n`),
    connect("phantom-host", "A phantom in the name that is asked for.", "{phantom}.evil.test:443"),
    connect("body", "A CONNECT with a body.", TO, `Host: ${TO}\r\n{proxy-auth}Content-Length: ${SMUGGLED.length}\r\n`),
    connect("chunked", "A CONNECT in chunks.", TO, `Host: ${TO}\r\n{proxy-auth}Transfer-Encoding: chunked\r\n`),
    raw("connect-old", "CONNECT by HTTP/1.0.", `CONNECT ${TO} HTTP/1.0\r\nHost: ${TO}\r\n{proxy-auth}\r\n`),
    raw("connect-lower", "The method in lower case.", `connect ${TO} HTTP/1.1\r\nHost: ${TO}\r\n{proxy-auth}\r\n`),
    raw("connect-line-feed", "Lines that end in a line feed alone.", `CONNECT ${TO} HTTP/1.1\nHost: ${TO}\n{proxy-auth}\n`),
    raw("origin-form", "A request as if the proxy were the server.", `GET /v1/models/{id} HTTP/1.1\r\nHost: ${TO}\r\nx-api-key: {phantom}\r\n{proxy-auth}\r\n`),
    raw("absolute-tls", "A host that speaks TLS, asked for in the clear.", `GET http://${TO}/v1/models/{id} HTTP/1.1\r\nHost: ${TO}\r\nx-api-key: {phantom}\r\n{proxy-auth}\r\n`),
    raw("absolute-https", "An https URL: the proxy would make the TLS.", `GET https://${TO}/v1/models/{id} HTTP/1.1\r\nHost: ${TO}\r\nx-api-key: {phantom}\r\n{proxy-auth}\r\n`),
    raw("absolute-host", "A target and a Host that disagree.", `GET http://evil.test/v1/models/{id} HTTP/1.1\r\nHost: ${TO}\r\nx-api-key: {phantom}\r\n{proxy-auth}\r\n`),
    raw("absolute-host-twice", "Two Hosts.", `GET http://${TO}/v1/models/{id} HTTP/1.1\r\nHost: ${TO}\r\nHost: evil.test\r\n{proxy-auth}\r\n`),
    raw("absolute-user", "A granted host as the user of another.", `GET http://${TO}@evil.test/ HTTP/1.1\r\nHost: evil.test\r\n{proxy-auth}\r\n`),
    raw("absolute-backslash", "A backslash where some read a slash.", `GET http://evil.test\\@${TO}/ HTTP/1.1\r\nHost: ${TO}\r\n{proxy-auth}\r\n`),
    raw("absolute-scheme", "Another scheme.", `GET ftp://${TO}/ HTTP/1.1\r\nHost: ${TO}\r\n{proxy-auth}\r\n`),
    raw("absolute-empty", "No host in the target.", `GET http:///v1/models/{id} HTTP/1.1\r\nHost: ${TO}\r\n{proxy-auth}\r\n`),
    raw("asterisk", "OPTIONS of the proxy itself.", `OPTIONS * HTTP/1.1\r\nHost: ${TO}\r\n{proxy-auth}\r\n`),
    raw("prior-knowledge", "HTTP/2 without asking.", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    inside("plain", "Plain HTTP behind the CONNECT of a host with TLS.", get(), { tls: false }),
    inside("plain-behind", "The same in one piece with the CONNECT.", "", { tls: false, behind: SMUGGLED }),
    inside("connect-behind", "Another CONNECT in one piece with the first.", "", {
      tls: false,
      behind: "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n{proxy-auth}\r\n",
    }),
    inside("sni-other", "TLS with the name of another granted host.", get(), { serverName: "{other-name}" }),
    inside("sni-none", "TLS without a name.", get(), { serverName: null }),
    inside("sni-evil", "TLS with a name that was not granted.", get(), { serverName: "evil.test" }),
    inside("host-other", "The Host of another granted host.", get().replace("Host: {host}", "Host: {other-host}")),
    inside("host-evil", "The Host of another server.", get().replace("Host: {host}", "Host: evil.test")),
    inside("phantom-other", "The phantom of another service.", get().replace("{phantom}", "{other-phantom}")),
    inside("phantom-foreign", "Another client's phantom.", get().replace("{phantom}", "{foreign-phantom}")),
    inside("connect", "CONNECT within the tunnel.", "CONNECT {other-host} HTTP/1.1\r\nHost: {other-host}\r\n{proxy-auth}\r\n"),
    inside("absolute", "An absolute target within the tunnel.", get("http://{other-host}/v1/models/{id}")),
    inside("token", "The proxy's token within the tunnel.", get(undefined, "{proxy-auth}"), {}, {
      bot: "either",
      neverUpstream: [/proxy-authorization/i, "{proxy-token}"],
    }),
    inside("phantom-proxy", "The phantom as a token within the tunnel.", get(undefined, "Proxy-Authorization: Bearer {phantom}\r\n"), {}, {
      neverUpstream: [/proxy-authorization/i],
    }),
    inside("te-cl", "Chunks and a length, within the tunnel.", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${SMUGGLED}`)),
    inside("cl-cl", "Two lengths, within the tunnel.", post("Content-Length: 0\r\nContent-Length: 4\r\n", SMUGGLED)),
    inside("rules", "A path that no rule allows, within the tunnel.", get("/admin/{id}")),
  ],
}; // prettier-ignore
