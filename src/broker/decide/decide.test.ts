import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Place } from "../../plan/index.ts";
import type { Header } from "../match.ts";
import type { Outgoing } from "../inject/inject.ts";
import {
  callOf,
  deploymentOf,
  OTHER,
  outgoingOf,
  PHANTOM,
  SECRET,
  STRANGER,
  verdictOf,
  type GrantParts,
  type Sent,
} from "./testing/callOf.ts";

const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");
const header = ({ headers }: Outgoing, name: string): string[] =>
  headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
const at = (...places: Place[]): GrantParts => ({ places });

const HEADER: Place = { in: "header", name: "x-api-key", prefix: "" };
const BEARER: Place = { in: "header", name: "authorization", prefix: "Bearer " };
const USER: Place = { in: "basic", part: "user" };
const PASSWORD: Place = { in: "basic", part: "password" };
const COOKIE: Place = { in: "cookie", name: "session" };
const QUERY: Place = { in: "query", name: "api_key" };
const FORM: Place = { in: "form", name: "token" };
const MULTIPART: Place = { in: "multipart", name: "token" };
const JSON_PLACE: Place = { in: "json", pointer: "/auth/token", prefix: "Bearer " };
const FRAMES: Place = {
  in: "websocket",
  pointer: "/d/token",
  where: [{ pointer: "/op", equals: 2 }],
};

const key: Header = ["x-api-key", PHANTOM];
const form = (body: string | Buffer, more: readonly Header[] = []): Sent => ({
  headers: [["Content-Type", "application/x-www-form-urlencoded"], ...more],
  body,
});
const json = (body: string | Buffer, more: readonly Header[] = []): Sent => ({
  headers: [["Content-Type", "application/json"], ...more],
  body,
});
const multipart = (body: string, boundary = "----0123456789"): Sent => ({
  headers: [["Content-Type", `multipart/form-data; boundary=${boundary}`]],
  body,
});
const part = (disposition: string, content: string, boundary = "----0123456789"): string =>
  `--${boundary}\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;
const lastPart = "------0123456789--\r\n";
const authorization = (value: string): Sent => ({ headers: [["Authorization", value]] });
const cookies = (...values: string[]): Sent => ({
  headers: values.map((value): Header => ["Cookie", value]),
});
const query = (target: string): Sent => ({ method: "GET", target });

test("decide() and inject() put the secret into either half of Basic, the other half kept", async () => {
  const user = await outgoingOf(at(USER), authorization(`basic ${base64(`${PHANTOM}:p:w\xe9`)}`));
  assert.deepEqual(header(user, "authorization"), [`Basic ${base64(`${SECRET}:p:w\xe9`)}`]);
  const password = await outgoingOf(at(PASSWORD), authorization(`Basic ${base64(`x:${PHANTOM}`)}`));
  assert.deepEqual(header(password, "authorization"), [`Basic ${base64(`x:${SECRET}`)}`]);
  for (const places of [at(USER, PASSWORD), at(PASSWORD, USER)]) {
    const both = await outgoingOf(
      places,
      authorization(`Basic ${base64(`${PHANTOM}:${PHANTOM}`)}`),
    );
    assert.deepEqual(header(both, "authorization"), [`Basic ${base64(`${SECRET}:${SECRET}`)}`]);
  }
  const bearer = await outgoingOf(at(PASSWORD, BEARER), authorization(`Bearer ${PHANTOM}`));
  assert.deepEqual(header(bearer, "authorization"), [`Bearer ${SECRET}`]);
});

test("decide() and inject() put the secret into a cookie, the others kept", async () => {
  const out = await outgoingOf(at(COOKIE), cookies(`lang=en; session=${PHANTOM}; csrf=a=b`));
  assert.deepEqual(header(out, "cookie"), [`lang=en; session=${SECRET}; csrf=a=b`]);
});

test("decide() and inject() put the secret into the query, percent-encoded, the rest kept", async () => {
  const encoded = encodeURIComponent(SECRET);
  for (const [sent, wanted] of [
    [`/x?a=b+c&api_key=${PHANTOM}&z=%2f`, `/x?a=b+c&api_key=${encoded}&z=%2f`],
    [`/x?api%5fkey=${PHANTOM.replace("s", "%73")}`, `/x?api%5fkey=${encoded}`],
  ] as const)
    assert.equal((await outgoingOf(at(QUERY), query(sent))).target, wanted);
});

test("decide() and inject() put the secret into a form, with the length that comes of it", async () => {
  const out = await outgoingOf(at(FORM), form(`a=1&token=${PHANTOM}&b=%20+`));
  const wanted = `a=1&token=${encodeURIComponent(SECRET)}&b=%20+`;
  assert.equal(out.body?.toString(), wanted);
  assert.deepEqual(header(out, "content-length"), [String(wanted.length)]);
});

test("decide() and inject() put the secret into a part of multipart", async () => {
  const body = `${part('form-data; name="file"; filename="x"', PHANTOM)}${part('form-data; name="token"', PHANTOM)}${lastPart}`;
  const out = await outgoingOf(at(MULTIPART), multipart(body));
  const at2 = body.lastIndexOf(PHANTOM);
  assert.equal(
    out.body?.toString(),
    body.slice(0, at2) + SECRET + body.slice(at2 + PHANTOM.length),
  );
});

test("decide() and inject() put the secret at a JSON pointer, prefix and all", async () => {
  const out = await outgoingOf(
    at(JSON_PLACE),
    json(`{ "note": "${PHANTOM}", "auth": {"token" : "Bearer \\u0073${PHANTOM.slice(1)}"} }`),
  );
  assert.equal(
    out.body?.toString(),
    `{ "note": "${PHANTOM}", "auth": {"token" : "Bearer ${SECRET}"} }`,
  );
});

test("decide() and inject() serve several places in one call", async () => {
  const out = await outgoingOf(
    at(HEADER, QUERY, COOKIE, JSON_PLACE, { in: "path", template: "/bot{secret}" }),
    {
      target: `/bot${PHANTOM}/x?api_key=${PHANTOM}`,
      headers: [
        ["X-Api-Key", PHANTOM],
        ["Cookie", `session=${PHANTOM}`],
        ["Content-Type", "application/vnd.x+json"],
      ],
      body: `{"auth":{"token":"Bearer ${PHANTOM}"}}`,
    },
  );
  const encoded = encodeURIComponent(SECRET);
  assert.equal(out.target, `/bot${SECRET.replace("/", "%2F")}/x?api_key=${encoded}`);
  assert.deepEqual(header(out, "x-api-key"), [SECRET]);
  assert.deepEqual(header(out, "cookie"), [`session=${SECRET}`]);
  assert.equal(out.body?.toString(), `{"auth":{"token":"Bearer ${SECRET}"}}`);
});

test("inject() sends a body as it reads, whatever its coding", async () => {
  const text = `token=${PHANTOM}`;
  for (const [coding, packed] of [
    ["gzip", gzipSync(text)],
    ["x-gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["br", brotliCompressSync(text)],
    ["zstd", zstdCompressSync(text)],
    ["identity", Buffer.from(text)],
  ] as const) {
    const out = await outgoingOf(at(FORM), form(packed, [["Content-Encoding", coding]]));
    assert.equal(out.body?.toString(), `token=${encodeURIComponent(SECRET)}`, coding);
    assert.deepEqual(header(out, "content-length"), [String(out.body?.length)]);
    if (coding !== "identity") assert.deepEqual(header(out, "content-encoding"), []);
  }
  // What isn't collected goes out in chunks, as its length isn't known.
  const streamed = await outgoingOf(
    at(HEADER),
    form(gzipSync("x"), [key, ["Content-Encoding", "gzip"]]),
  );
  assert.equal(streamed.body, undefined);
  assert.deepEqual(header(streamed, "transfer-encoding"), ["chunked"]);
  assert.deepEqual(header(streamed, "content-length"), []);
  assert.deepEqual(header(streamed, "content-encoding"), []);
});

test("decide() answers a call without credential by the grant's challenge, and no other", async () => {
  const challenge = 'Basic realm="git"';
  const grant = { ...at(PASSWORD), challenge };
  assert.deepEqual(await callOf(grant, { method: "GET" }), { refused: "no-credential", challenge });
  assert.deepEqual(await callOf(at(PASSWORD), { method: "GET" }), { refused: "no-credential" });
  assert.deepEqual(await callOf(grant, authorization(`Basic ${base64("a:b")}`)), {
    refused: "foreign-credential",
  });
  const open = { ...grant, anonymous: [{ method: "GET", path: "/public/**" }] };
  assert.equal(await verdictOf(open, { method: "GET", target: "/public/x" }), "allowed");
});

test("decide() lets a WebSocket begin without credential where it travels in frames", async () => {
  const sent: Sent = { method: "GET", target: "/gateway", upgrade: "websocket" };
  const rules = [{ method: "GET", path: "/gateway" }];
  assert.equal(await verdictOf({ ...at(HEADER, FRAMES), rules }, sent), "allowed");
  // The rules hold all the same, the same call without upgrade needs the phantom, and so does another grant.
  assert.equal(await verdictOf({ ...at(HEADER, FRAMES), rules: [] }, sent), "not-allowed");
  assert.equal(
    await verdictOf({ ...at(HEADER, FRAMES), rules }, { method: "GET", target: "/gateway" }),
    "no-credential",
  );
  assert.equal(await verdictOf({ ...at(HEADER), rules }, sent), "no-credential");
  const out = await outgoingOf(at(HEADER, FRAMES), {
    ...sent,
    headers: [["Sec-WebSocket-Extensions", "permessage-deflate"]],
  });
  assert.deepEqual(header(out, "sec-websocket-extensions"), []);
  assert.deepEqual(header(out, "upgrade"), ["websocket"]);
});

test("decide() leaves the bot's own phantoms in bodies alone", async () => {
  const body = `{"auth":{"token":"Bearer ${PHANTOM}"},"log":"${PHANTOM} ${OTHER}"}`;
  const out = await outgoingOf(at(JSON_PLACE), json(body));
  assert.equal(out.body?.toString(), body.replace(PHANTOM, SECRET));
});

test("compileDeployment() refuses a JSON pointer that is none", () => {
  for (const place of [
    { in: "json", pointer: "token" },
    { in: "websocket", pointer: "/d", where: [{ pointer: "op", equals: 2 }] },
  ] satisfies Place[])
    assert.throws(() => deploymentOf(at(place)), { code: "config-invalid" });
  assert.ok(deploymentOf(at({ in: "json", pointer: "" })));
});

const refused: readonly [string, GrantParts, Sent, string][] = [
  // Basic
  [
    "another Basic password",
    at(PASSWORD),
    authorization(`Basic ${base64("x:hunter2")}`),
    "foreign-credential",
  ],
  [
    "the phantom in the half that isn't named",
    at(PASSWORD),
    authorization(`Basic ${base64(`${PHANTOM}:x`)}`),
    "phantom-misplaced",
  ],
  [
    "the phantom in both halves where one is named",
    at(PASSWORD),
    authorization(`Basic ${base64(`${PHANTOM}:${PHANTOM}`)}`),
    "phantom-misplaced",
  ],
  [
    "another grant's phantom beside it in Basic",
    at(PASSWORD),
    authorization(`Basic ${base64(`${OTHER}:${PHANTOM}`)}`),
    "foreign-phantom",
  ],
  [
    "Basic with a colon before the phantom",
    at(PASSWORD),
    authorization(`Basic ${base64(`a:b:${PHANTOM}`)}`),
    "phantom-misplaced",
  ],
  [
    "Basic without a colon",
    at(USER),
    authorization(`Basic ${base64(PHANTOM)}`),
    "credential-ambiguous",
  ],
  [
    "Basic with stray bits",
    at(PASSWORD),
    authorization(
      `Basic ${base64(`x:${PHANTOM}y`).replace(/.==$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}==`)}`,
    ),
    "credential-ambiguous",
  ],
  [
    "Basic without padding",
    at(PASSWORD),
    authorization(`Basic ${base64(`xyz:${PHANTOM}`).replace(/=+$/, "")}`),
    "credential-ambiguous",
  ],
  [
    "Basic by the URL alphabet",
    at(PASSWORD),
    authorization(
      `Basic ${base64(`\xff\xfe\xff:${PHANTOM}`).replaceAll("/", "_").replaceAll("+", "-")}`,
    ),
    "credential-ambiguous",
  ],
  [
    "Basic with two blanks",
    at(PASSWORD),
    authorization(`Basic  ${base64(`x:${PHANTOM}`)}`),
    "credential-ambiguous",
  ],
  [
    "Basic with something after it",
    at(PASSWORD),
    authorization(`Basic ${base64(`x:${PHANTOM}`)}, Bearer x`),
    "credential-ambiguous",
  ],
  [
    "Basic with a line end in it",
    at(PASSWORD),
    authorization(`Basic ${base64(`x\r\ny:${PHANTOM}`)}`),
    "credential-ambiguous",
  ],
  [
    "Basic twice",
    at(PASSWORD),
    {
      headers: [
        ["Authorization", `Basic ${base64(`x:${PHANTOM}`)}`],
        ["authorization", "Basic eDp5"],
      ],
    },
    "credential-repeated",
  ],
  [
    "the phantom in Basic where the grant has Bearer",
    at(BEARER),
    authorization(`Basic ${base64(`x:${PHANTOM}`)}`),
    "phantom-misplaced",
  ],
  [
    "another bot's phantom in Basic",
    at(HEADER),
    { headers: [key, ["Proxy-Authorization", `Basic ${base64(`x:${STRANGER}`)}`]] },
    "foreign-phantom",
  ],
  // headers
  [
    "a header value with another after a comma",
    at(HEADER),
    { headers: [["x-api-key", `${PHANTOM}, sk-other`]] },
    "phantom-misplaced",
  ],
  [
    "the named header with an underscore beside it",
    at(HEADER),
    { headers: [key, ["X_Api_Key", "sk-other"]] },
    "foreign-credential",
  ],
  [
    "Authorization with an underscore somewhere",
    at({ in: "header", name: "x-auth-token", prefix: "" }),
    {
      headers: [
        ["x-auth-token", PHANTOM],
        ["x_auth_token", "sk"],
      ],
    },
    "foreign-credential",
  ],
  [
    "the phantom with another scheme",
    at(BEARER),
    authorization(`Token ${PHANTOM}`),
    "phantom-misplaced",
  ],
  [
    "the phantom in a header's name",
    at(HEADER),
    { headers: [key, [PHANTOM, "x"]] },
    "phantom-misplaced",
  ],
  [
    "a cookie where the grant has none",
    at(HEADER),
    { headers: [key, ["Cookie", "a=b"]] },
    "foreign-credential",
  ],
  [
    "GitLab's token beside the phantom",
    at(BEARER),
    {
      headers: [
        ["Authorization", `Bearer ${PHANTOM}`],
        ["Private-Token", "glpat"],
      ],
    },
    "foreign-credential",
  ],
  // cookies
  ["another session", at(COOKIE), cookies("session=mallory"), "foreign-credential"],
  [
    "a cookie twice",
    at(COOKIE),
    cookies(`session=${PHANTOM}; session=mallory`),
    "credential-repeated",
  ],
  ["two Cookie headers", at(COOKIE), cookies(`session=${PHANTOM}`, "a=b"), "credential-repeated"],
  ["a quoted cookie", at(COOKIE), cookies(`session="${PHANTOM}"`), "credential-ambiguous"],
  [
    "a cookie hidden in quotes",
    at(COOKIE),
    cookies(`a="x; session=mallory"; session=${PHANTOM}`),
    "credential-ambiguous",
  ],
  ["$Version", at(COOKIE), cookies(`$Version=1; session=${PHANTOM}`), "credential-ambiguous"],
  [
    "$Path after the cookie",
    at(COOKIE),
    cookies(`session=${PHANTOM}; $Path=/`),
    "credential-ambiguous",
  ],
  [
    "cookies between commas",
    at(COOKIE),
    cookies(`session=${PHANTOM},session=mallory`),
    "credential-ambiguous",
  ],
  [
    "cookies without a blank between",
    at(COOKIE),
    cookies(`a=b;session=${PHANTOM}`),
    "credential-ambiguous",
  ],
  [
    "a cookie without a value",
    at(COOKIE),
    cookies(`session; session=${PHANTOM}`),
    "credential-ambiguous",
  ],
  [
    "a cookie in another case",
    at(COOKIE),
    cookies(`session=${PHANTOM}; SESSION=mallory`),
    "credential-ambiguous",
  ],
  ["a semicolon at the end", at(COOKIE), cookies(`session=${PHANTOM};`), "credential-ambiguous"],
  [
    "the phantom in another cookie",
    at(COOKIE),
    cookies(`session=${PHANTOM}; old=${PHANTOM}`),
    "phantom-misplaced",
  ],
  [
    "the phantom in another cookie, percent-encoded",
    at(COOKIE),
    cookies(`session=${PHANTOM}; old=%73${PHANTOM.slice(1)}`),
    "phantom-misplaced",
  ],
  [
    "the phantom percent-encoded in its cookie, which nobody undoes",
    at(COOKIE),
    cookies(`session=%73${PHANTOM.slice(1)}`),
    "phantom-misplaced",
  ],
  // query
  ["another key in the query", at(QUERY), query("/x?api_key=mallory"), "foreign-credential"],
  ["a key twice", at(QUERY), query(`/x?api_key=${PHANTOM}&api_key=mallory`), "credential-repeated"],
  [
    "the same key twice",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&api_key=${PHANTOM}`),
    "credential-repeated",
  ],
  [
    "a key twice, once encoded",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&api%5Fkey=mallory`),
    "credential-repeated",
  ],
  [
    "a key after a semicolon",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&a=1;api_key=mallory`),
    "credential-ambiguous",
  ],
  [
    "a key before a semicolon",
    at(QUERY),
    query(`/x?a=1;api_key=${PHANTOM}`),
    "credential-ambiguous",
  ],
  [
    "a key in another case",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&API_KEY=mallory`),
    "credential-ambiguous",
  ],
  [
    "a key as PHP rewrites names",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&api.key=mallory`),
    "credential-ambiguous",
  ],
  [
    "a key as an array",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&api_key[]=mallory`),
    "credential-ambiguous",
  ],
  [
    "a key with a NUL",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&api_key%00=mallory`),
    "credential-ambiguous",
  ],
  ["an empty key", at(QUERY), query("/x?api_key="), "foreign-credential"],
  ["a key without a value", at(QUERY), query("/x?api_key"), "foreign-credential"],
  [
    "the phantom encoded twice",
    at(QUERY),
    query(`/x?api_key=%2573${PHANTOM.slice(1)}`),
    "foreign-credential",
  ],
  [
    "the phantom in another field",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&q=${PHANTOM}`),
    "phantom-misplaced",
  ],
  [
    "the phantom as a field's name",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&${PHANTOM}=1`),
    "phantom-misplaced",
  ],
  [
    "a token in the query beside a header",
    at(HEADER),
    { ...query("/x?access_token=mallory"), headers: [key] },
    "foreign-credential",
  ],
  [
    "a key in the query beside a header",
    at(HEADER),
    { ...query("/x?a=1&KEY=mallory"), headers: [key] },
    "foreign-credential",
  ],
  [
    "a key in the query after a semicolon",
    at(HEADER),
    { ...query("/x?a=1;key=mallory"), headers: [key] },
    "foreign-credential",
  ],
  [
    "a signed URL beside a header",
    at(HEADER),
    { ...query("/x?X-Amz-Signature=0123"), headers: [key] },
    "foreign-credential",
  ],
  [
    "a form's field in the query",
    at(FORM),
    { ...form(`token=${PHANTOM}`), target: "/x?token=mallory" },
    "foreign-credential",
  ],
  [
    "a multipart field in the query",
    { ...at(HEADER, { in: "multipart", name: "secret_word" }) },
    { ...query("/x?secret_word=mallory"), headers: [key] },
    "foreign-credential",
  ],
  // forms
  ["another token in a form", at(FORM), form("token=mallory"), "foreign-credential"],
  [
    "a token twice in a form",
    at(FORM),
    form(`token=${PHANTOM}&token=mallory`),
    "credential-repeated",
  ],
  [
    "a token twice in a form, once encoded",
    at(FORM),
    form(`token=${PHANTOM}&%74oken=mallory`),
    "credential-repeated",
  ],
  [
    "a token in another case in a form",
    at(FORM),
    form(`token=${PHANTOM}&Token=mallory`),
    "credential-ambiguous",
  ],
  [
    "a token as an array in a form",
    at(FORM),
    form(`token=${PHANTOM}&token[0]=mallory`),
    "credential-ambiguous",
  ],
  [
    "a form with a semicolon",
    at(FORM),
    form(`a=1;token=mallory&token=${PHANTOM}`),
    "body-unreadable",
  ],
  ["a form that isn't UTF-8", at(FORM), form(`token=${PHANTOM}&a=%ff`), "body-unreadable"],
  [
    "a form in another character set",
    at(FORM),
    {
      headers: [["Content-Type", "application/x-www-form-urlencoded; charset=utf-16"]],
      body: `token=${PHANTOM}`,
    },
    "body-unreadable",
  ],
  ["JSON that says it is a form", at(FORM), form(`{"token":"${PHANTOM}"}`), "no-credential"],
  ["a form that says it is JSON", at(FORM), json(`token=${PHANTOM}`), "no-credential"],
  ["a body without a type", at(FORM), { body: `token=${PHANTOM}` }, "body-unreadable"],
  [
    "a body with two types",
    at(FORM),
    form(`token=${PHANTOM}`, [["Content-Type", "application/json"]]),
    "body-unreadable",
  ],
  [
    "a body with a type in pieces",
    at(FORM),
    {
      headers: [["Content-Type", "application/x-www-form-urlencoded, application/json"]],
      body: `token=${PHANTOM}`,
    },
    "body-unreadable",
  ],
  [
    "another bot's phantom in a form",
    at(FORM),
    form(`token=${PHANTOM}&a=${STRANGER}`),
    "foreign-phantom-in-body",
  ],
  [
    "another bot's phantom in a packed form",
    at(FORM),
    form(gzipSync(`token=${PHANTOM}&a=${STRANGER}`), [["Content-Encoding", "gzip"]]),
    "foreign-phantom-in-body",
  ],
  [
    "a coding nobody knows",
    at(HEADER),
    form("x", [key, ["Content-Encoding", "compress"]]),
    "body-unreadable",
  ],
  [
    "two codings",
    at(HEADER),
    form("x", [key, ["Content-Encoding", "gzip, gzip"]]),
    "body-unreadable",
  ],
  [
    "two codings in two headers",
    at(HEADER),
    form("x", [key, ["Content-Encoding", "gzip"], ["content-encoding", "br"]]),
    "body-unreadable",
  ],
  [
    "a body that isn't what its coding says",
    at(FORM),
    form("token=x", [["Content-Encoding", "gzip"]]),
    "body-unreadable",
  ],
  [
    "a body that is cut",
    at(FORM),
    form(gzipSync(`token=${PHANTOM}`).subarray(0, -9), [["Content-Encoding", "gzip"]]),
    "body-unreadable",
  ],
  ["five megabytes", at(FORM), form(Buffer.alloc(5 * 1024 * 1024, "a")), "body-too-large"],
  [
    "five megabytes in a few bytes",
    at(FORM),
    form(zstdCompressSync(Buffer.alloc(5 * 1024 * 1024)), [["Content-Encoding", "zstd"]]),
    "body-too-large",
  ],
  [
    "a gigabyte in a megabyte",
    at(FORM),
    form(gzipSync(Buffer.alloc(256 * 1024 * 1024)), [["Content-Encoding", "gzip"]]),
    "body-too-large",
  ],
  // multipart
  [
    "another token in multipart",
    at(MULTIPART),
    multipart(`${part('form-data; name="token"', "mallory")}${lastPart}`),
    "foreign-credential",
  ],
  [
    "a token twice in multipart",
    at(MULTIPART),
    multipart(
      `${part('form-data; name="token"', PHANTOM)}${part("form-data; name=token", "mallory")}${lastPart}`,
    ),
    "credential-repeated",
  ],
  [
    "a token as a file",
    at(MULTIPART),
    multipart(`${part('form-data; name="token"; filename="x"', PHANTOM)}${lastPart}`),
    "foreign-credential",
  ],
  [
    "a token with a line end after it",
    at(MULTIPART),
    multipart(`${part('form-data; name="token"', `${PHANTOM}\r\n`)}${lastPart}`),
    "foreign-credential",
  ],
  [
    "a name with another after a quote",
    at(MULTIPART),
    multipart(
      `${part('form-data; name="a\\"; name="token"', "mallory")}${part('form-data; name="token"', PHANTOM)}${lastPart}`,
    ),
    "body-unreadable",
  ],
  [
    "a name in two encodings",
    at(MULTIPART),
    multipart(
      `${part("form-data; name=a; name*=UTF-8''token", "mallory")}${part('form-data; name="token"', PHANTOM)}${lastPart}`,
    ),
    "body-unreadable",
  ],
  [
    "two boundaries",
    at(MULTIPART),
    {
      headers: [["Content-Type", "multipart/form-data; boundary=----0123456789; boundary=x"]],
      body: `${part('form-data; name="token"', PHANTOM)}${lastPart}`,
    },
    "body-unreadable",
  ],
  [
    "a boundary short enough to be tried out",
    at(MULTIPART),
    multipart(
      `--sk\r\nContent-Disposition: form-data; name="token"\r\n\r\n${PHANTOM}\r\n--sk--\r\n`,
      "sk",
    ),
    "body-unreadable",
  ],
  [
    "a part after the end",
    at(MULTIPART),
    multipart(
      `${part('form-data; name="token"', PHANTOM)}${lastPart}${part('form-data; name="token"', "mallory")}`,
    ),
    "body-unreadable",
  ],
  // JSON
  [
    "another token in JSON",
    at(JSON_PLACE),
    json('{"auth":{"token":"Bearer x"}}'),
    "foreign-credential",
  ],
  [
    "the phantom without its prefix in JSON",
    at(JSON_PLACE),
    json(`{"auth":{"token":"${PHANTOM}"}}`),
    "foreign-credential",
  ],
  [
    "a number in place of a token",
    at(JSON_PLACE),
    json('{"auth":{"token":1}}'),
    "foreign-credential",
  ],
  [
    "a list in place of a token",
    at(JSON_PLACE),
    json(`{"auth":{"token":["Bearer ${PHANTOM}"]}}`),
    "foreign-credential",
  ],
  [
    "a key twice in JSON",
    at(JSON_PLACE),
    json(`{"auth":{"token":"Bearer ${PHANTOM}"},"auth":{"token":"x"}}`),
    "body-unreadable",
  ],
  [
    "a key twice in JSON, once escaped",
    at(JSON_PLACE),
    json(`{"auth":{"token":"Bearer ${PHANTOM}","tok\\u0065n":"x"}}`),
    "body-unreadable",
  ],
  [
    "a key in another case in JSON",
    at(JSON_PLACE),
    json(`{"auth":{"token":"Bearer ${PHANTOM}","TOKEN":"x"}}`),
    "credential-ambiguous",
  ],
  [
    "a key above it in another case",
    at(JSON_PLACE),
    json(`{"auth":{"token":"Bearer ${PHANTOM}"},"Auth":{"token":"x"}}`),
    "credential-ambiguous",
  ],
  [
    "a key with the long s that Go folds",
    at({ in: "json", pointer: "/sk" }),
    json(`{"sk":"${PHANTOM}","\u017fk":"x"}`),
    "credential-ambiguous",
  ],
  [
    "JSON in UTF-16",
    at(JSON_PLACE),
    json(Buffer.from(`{"auth":{"token":"Bearer ${PHANTOM}"}}`, "utf16le")),
    "body-unreadable",
  ],
  [
    "JSON after a byte order mark",
    at(JSON_PLACE),
    json(`\ufeff{"auth":{"token":"Bearer ${PHANTOM}"}}`),
    "body-unreadable",
  ],
  [
    "two JSON texts",
    at(JSON_PLACE),
    json(`{"auth":{"token":"Bearer ${PHANTOM}"}}{}`),
    "body-unreadable",
  ],
  ["nothing at the pointer", at(JSON_PLACE), json('{"auth":{}}'), "no-credential"],
  ["null at the pointer", at(JSON_PLACE), json('{"auth":{"token":null}}'), "no-credential"],
  [
    "another bot's phantom in JSON",
    at(JSON_PLACE),
    json(`{"auth":{"token":"Bearer ${PHANTOM}"},"a":"${STRANGER}"}`),
    "foreign-phantom-in-body",
  ],
  // several
  [
    "one right place and one wrong",
    at(HEADER, QUERY),
    { ...query("/x?api_key=mallory"), headers: [key] },
    "foreign-credential",
  ],
  [
    "a right header and a wrong body",
    at(HEADER, FORM),
    form("token=mallory", [key]),
    "foreign-credential",
  ],
  [
    "another grant's phantom in a right place",
    at(HEADER),
    { headers: [["x-api-key", OTHER]] },
    "foreign-phantom",
  ],
  [
    "another bot's phantom in a right place",
    at(HEADER),
    { headers: [["x-api-key", STRANGER]] },
    "foreign-phantom",
  ],
];
for (const [what, parts, sent, code] of refused) {
  test(`decide() refuses ${what}`, async () => {
    assert.equal(await verdictOf(parts, sent), code);
  });
}

const allowed: readonly [string, GrantParts, Sent][] = [
  ["a semicolon elsewhere in the query", at(QUERY), query(`/x?a=1;b=2&api_key=${PHANTOM}`)],
  [
    "a name that only begins alike",
    at(QUERY),
    query(`/x?api_key=${PHANTOM}&api_keys=1&apikeyid=2`),
  ],
  [
    "pages of a list",
    at(HEADER),
    { ...query("/x?pageToken=abc&cursor=1&sort_key=a"), headers: [key] },
  ],
  [
    "a field that a rule names",
    { ...at(HEADER), rules: [{ method: "GET", path: "/x", query: { key: "PROJ" } }] },
    { ...query("/x?key=PROJ"), headers: [key] },
  ],
  [
    "a body of another kind beside a header",
    at(HEADER, FORM),
    { headers: [key, ["Content-Type", "image/png"]], body: "\x89PNG" },
  ],
  [
    "a body of another kind whose type names no charset that matters",
    at(HEADER, FORM),
    { headers: [key, ["Content-Type", "text/plain; charset=iso-8859-1"]], body: "x" },
  ],
  ["a form with a byte that is no credential", at(FORM), form(`token=${PHANTOM}&a=%00`)],
  [
    "a multipart with a file",
    at(MULTIPART),
    multipart(
      `${part('form-data; name="a"; filename="b.bin"', "\0\r\n--")}${part('form-data; name="token"', PHANTOM)}${lastPart}`,
    ),
  ],
  [
    "a boundary in quotes",
    at(MULTIPART),
    {
      headers: [["Content-Type", 'Multipart/Form-Data; Boundary="----0123456789"; charset=UTF-8']],
      body: `${part('form-data; name="token"', PHANTOM)}${lastPart}`,
    },
  ],
];
for (const [what, parts, sent] of allowed) {
  test(`decide() allows ${what}`, async () => {
    assert.equal(await verdictOf(parts, sent), "allowed");
  });
}
