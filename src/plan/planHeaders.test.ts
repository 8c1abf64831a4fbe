import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue, type EntryHeader, type ServiceEntry } from "../catalogue/index.ts";
import { checkService } from "./checkService.ts";

function faultsOf(headers: Readonly<Record<string, EntryHeader>>): string[] {
  const entry: ServiceEntry = {
    name: "weather",
    title: "the weather",
    hosts: ["https://api.weather.test"],
    credential: [{ header: "X-Weather-Key" }],
    phantom: "{hex:32}",
    allow: ["GET /**"],
    headers,
  };
  return checkService(entry).map(({ path, message }) => `${path.slice(2).join(".")}: ${message}`);
}

test("planHeaders() takes headers that say what is wanted", () => {
  const usual = "2022-06-28";
  const headers = { "Notion-Version": { usual }, Accept: {}, "If-Match": {}, "content-type": {} };
  assert.deepEqual(faultsOf(headers), []);
});

/** What would carry a credential, belongs to a connection, or says where, how long or which a call is. */
const NEVER = [
  "Authorization",
  "authorization",
  "Proxy-Authorization",
  "Cookie",
  "X-Weather-Key",
  "x-weather-KEY",
  "X-Api-Key",
  "X-Auth-Token",
  "Connection",
  "Keep-Alive",
  "Proxy-Connection",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
  "Host",
  "Content-Length",
  "Expect",
  "Content-Encoding",
  "X-HTTP-Method-Override",
  "X-Original-URL",
  "X-Forwarded-Host",
  "Forwarded",
  "Sec-WebSocket-Key",
  "Accept-Encoding",
  "Range",
  "X-Amz-Date",
  "X-Seawall",
];
for (const name of NEVER) {
  test(`planHeaders() refuses ${name}`, () => {
    assert.deepEqual(faultsOf({ [name]: {} }), [
      `headers.${name}: "${name}" is no header that an agent may give`,
    ]);
  });
}

test("planHeaders() refuses what is no name, no value, or there twice", () => {
  for (const name of ["", "A B", "A:B", "A\r\nB", "\u00c4", "x".repeat(65)])
    assert.match(faultsOf({ [name]: {} }).join(), /can't be a header's name$/);
  for (const usual of ["", " a", "a ", "a\nb", "\u00e4", "a\0", "x".repeat(1025)])
    assert.deepEqual(faultsOf({ A: { usual } }), ["headers.A: this can't be a header's value"]);
  assert.deepEqual(faultsOf({ Accept: {}, accept: {} }), [
    'headers.Accept: "Accept" stands here twice',
    'headers.accept: "accept" stands here twice',
  ]);
});

test("what the catalogue lets agents give are such headers", () => {
  const named = [...catalogue.values()].filter(({ headers }) => headers !== undefined);
  assert.ok(named.length >= 4);
  for (const entry of named) assert.deepEqual(checkService(entry), []);
});
