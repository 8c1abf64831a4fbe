import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { checkTarget } from "./checkTarget.ts";
import { readLines } from "./LineReader.ts";
import { checkHost, checkLiteral, pinnedLookup } from "./pinnedLookup.ts";
import { readFromInside } from "./readPage.ts";
import { readRequest } from "./readRequest.ts";

test("checkTarget() reads hosts and ports as browsers do, and holds them against the grant", () => {
  const hosts = ["example.org", "*.wiki.test", "intern.lan:8080", "[2001:db8::1]"];
  for (const [address, expected] of [
    ["https://example.org/a?b#c", true],
    ["http://EXAMPLE.org./", true],
    ["https://example.org:80/", true],
    ["https://example.org:8443/", "port-not-granted"],
    ["https://www.example.org/", "host-not-granted"],
    ["https://notexample.org/", "host-not-granted"],
    ["https://example.org.evil.test/", "host-not-granted"],
    ["https://en.wiki.test/", true],
    ["https://a.b.wiki.test/", true],
    ["https://wiki.test/", "host-not-granted"],
    ["https://evilwiki.test/", "host-not-granted"],
    ["https://.wiki.test/", "host-not-granted"],
    ["http://intern.lan:8080/", true],
    ["http://intern.lan/", "port-not-granted"],
    ["http://[2001:db8::1]/", true],
    ["http://[2001:db8:0:0::1]/", true],
    ["http://[2001:db8::2]/", "host-not-granted"],
    ["http://example.org@evil.test/", "url-credentials"],
    ["http://evil.test\\@example.org/", "host-not-granted"],
    ["http://example.org%2eevil.test/", "host-not-granted"],
    ["http://exa\tmple.org/", true],
    ["http://ｅxample.org/", true],
    ["HTTPS://example.org", true],
    ["//example.org/", "bad-url"],
    ["https://", "bad-url"],
    ["wss://example.org/", "scheme"],
    [`https://example.org/${"x".repeat(9000)}`, "bad-url"],
  ] as const) {
    const found = checkTarget(address, { hosts });
    assert.equal(typeof found === "string" ? found : true, expected, address);
  }
  assert.equal(checkTarget("https://example.org/", { hosts: [] }), "host-not-granted");
  const any = checkTarget("http://0x7f.1/", { hosts: ["*"] });
  assert.equal(typeof any === "string" ? any : any.host, "127.0.0.1");
});

test("pinnedLookup() gives checked addresses only, once for a connection", async () => {
  const answers = [["127.0.0.1", "93.184.216.34"], ["93.184.216.34"], ["10.0.0.9"], []];
  const resolve = () =>
    Promise.resolve((answers.shift() ?? []).map((address) => ({ address, family: 4 })));
  const look = promisify(pinnedLookup(["10.1.0.0/16"], resolve)) as (
    name: string,
    options: object,
  ) => Promise<unknown>;
  assert.deepEqual(await look("a.test", { all: true }), [{ address: "93.184.216.34", family: 4 }]);
  assert.equal(await look("a.test", {}), "93.184.216.34");
  const refused = { code: "SEAWALL_ADDRESS_REFUSED" };
  await assert.rejects(look("a.test", { all: true }), refused);
  await assert.rejects(look("a.test", { all: true }), refused);
});

test("checkLiteral() and checkHost() refuse what isn't public, but for the grant's networks", async () => {
  const none = (): Promise<never[]> => Promise.resolve([]);
  for (const address of ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"])
    await assert.rejects(checkLiteral(address, []), address);
  await checkLiteral("93.184.216.34", []);
  await checkLiteral("10.1.2.3", ["10.1.0.0/16"]);
  await assert.rejects(checkLiteral("10.2.2.3", ["10.1.0.0/16"]));
  await assert.rejects(checkLiteral("169.254.169.254", ["169.254.0.0/16"]));
  await assert.rejects(checkHost("nowhere.test", [], none));
});

test("readRequest() takes requests only, and bounds what they ask", () => {
  for (const line of [
    "",
    "{",
    "[]",
    "null",
    '{"operation":"fetch"}',
    '{"operation":"x","url":"y"}',
  ])
    assert.equal(readRequest(line), undefined, line);
  const read = readRequest(
    '{"operation":"fetch","url":"x","width":1e9,"height":-1,"mostCharacters":"y","wait":"no"}',
  );
  assert.deepEqual(
    [read?.width, read?.height, read?.mostCharacters, read?.wait],
    [3840, 100, 100_000, "idle"],
  );
});

test("readFromInside() believes nothing but types and sizes", () => {
  for (const line of ["", "{", "7", '{"type":"x"}', '{"type":"rendered","id":1,"page":{}}'])
    assert.equal(readFromInside(line), undefined, line);
  const said = readFromInside(
    JSON.stringify({
      type: "rendered",
      id: 1,
      page: {
        markdown: "m",
        url: "u".repeat(10_000),
        status: "200",
        title: { toString: 1 },
        links: [{ url: 1 }, { url: "a", text: "t".repeat(1000), more: 1 }, null],
        byline: 1,
        screenshot: [],
        __proto__: { polluted: true },
      },
    }),
  );
  assert.ok(said?.type === "rendered");
  assert.equal(said.page.url.length, 8192);
  assert.deepEqual(
    { ...said.page, url: "" },
    {
      url: "",
      status: 0,
      title: "",
      markdown: "m",
      cut: false,
      complete: false,
      links: [{ text: "t".repeat(300), url: "a" }],
    },
  );
});

test("readLines() joins what comes in pieces, and ends a line that doesn't end", () => {
  const socket = Object.assign(new EventEmitter(), { destroyed: false, destroy: () => 0 });
  socket.destroy = () => {
    socket.destroyed = true;
    return 0;
  };
  const lines: string[] = [];
  readLines(socket as unknown as Socket, 10, (line) => lines.push(line));
  for (const piece of ["a", "b\nc\n\nd", "ä\n"]) socket.emit("data", Buffer.from(piece));
  assert.deepEqual(lines, ["ab", "c", "", "dä"]);
  assert.equal(socket.destroyed, false);
  socket.emit("data", Buffer.from("12345678901"));
  assert.equal(socket.destroyed, true);
});
