import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { udpHandle } from "../testing/rawHandles.ts";
import { collect, TestBroker } from "../testing/TestBroker.ts";
import { UnknownHosts, unknownAddress } from "./UnknownHosts.ts";

test("unknownAddress() gives every slot addresses that no granted name can have", () => {
  const slots = Array.from({ length: 508 }, (_each, slot) => unknownAddress(slot));
  assert.equal(new Set(slots.map(({ v4 }) => v4)).size, 508);
  assert.equal(new Set(slots.map(({ v6 }) => v6)).size, 508);
  for (const { v4, v6 } of slots) {
    // assignAddresses() leaves the first and last 256 of 11.0.0.0/8 out, and fills 2600:5ea0::/104.
    assert.match(v4, /^11\.(?:0\.0|255\.255)\.(?!0$|255$)[0-9]+$/);
    assert.match(v6, /^2600:5ea0:1::[0-9a-f]+$/);
  }
});

describe("hosts that no grant has", () => {
  let t: TestBroker;
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  const resolved: string[] = [];
  before(async () => {
    t = await TestBroker.start({
      unknownAddress: (slot) => ({ v4: `127.99.${slot >> 8}.${slot & 0xff}` }),
      resolve: (name) => {
        resolved.push(name);
        return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
      },
    });
    const { handle, port } = udpHandle("127.0.0.1");
    await t.broker.receive(
      { type: "listener", bot: "basecamp", protocol: "udp", port: 53, family: 4 },
      handle,
    );
    resolver.setServers([`127.0.0.1:${port}`]);
    await t.bot("basecamp", []);
    await inForce(true);
  });
  after(() => t.end());

  async function inForce(asked: boolean): Promise<void> {
    const bots = t.bots.map((bot) => (asked ? { ...bot, unknownHosts: "ask" as const } : bot));
    assert.deepEqual(await t.configure(t.config(bots)), { type: "configured" });
  }
  async function addressOf(name: string): Promise<string> {
    const [address = ""] = await resolver.resolve4(name);
    return address;
  }
  /** A TLS connection as a bot makes it, and how it ended. */
  function dial(address: string, servername: string): { readonly ended: Promise<string> } {
    const client = tls.connect({ host: address, port: t.port, servername });
    let message = "";
    client.on("error", (error) => (message ||= error.message));
    return {
      ended: new Promise((resolve) => {
        client.once("close", () => {
          resolve(message);
        });
      }),
    };
  }
  const asks = () => t.sent.flatMap((message) => (message.type === "ask" ? [message.ask] : []));
  async function nextAsk(count: number): Promise<string> {
    while (asks().length < count) await new Promise((resolve) => setImmediate(resolve));
    return asks()[count - 1]?.id ?? "";
  }

  test("their names have addresses that stay, and nothing is looked up outside", async () => {
    const first = await addressOf("www.unknown.test");
    assert.notEqual(first, await addressOf("other.unknown.test"));
    assert.equal(await addressOf("WWW.unknown.test"), first);
    assert.deepEqual(resolved, []);
  });

  test("names that can't be anybody's have none", async () => {
    for (const name of [
      "single",
      "a_b.test",
      "x.local",
      "1.0.0.127.in-addr.arpa",
      "a.1",
      "-a.test",
    ])
      await assert.rejects(resolver.resolve4(name), name);
  });

  test("a connection to one waits for the owner, and is dialled only after a yes", async () => {
    const address = await addressOf("www.unknown.test");
    const { ended } = dial(address, "www.unknown.test");
    const id = await nextAsk(1);
    const { bot, grant, host, rule } = asks()[0] ?? {};
    assert.deepEqual(
      [bot, grant, host, rule],
      ["basecamp", undefined, `www.unknown.test:${t.port}`, "unknown-host"],
    );
    assert.deepEqual(resolved, []);
    await t.broker.receive({ type: "answer", id, verdict: "allow", scope: "once" });
    await ended;
    assert.deepEqual(resolved, ["www.unknown.test"]);
    // The usual checks hold: only public addresses.
    const record = await t.record((each) => each.kind === "tunnel");
    assert.deepEqual([record.grant, record.code], ["(unknown)", "address-refused"]);
  });

  test("a no ends it", async () => {
    const { ended } = dial(await addressOf("no.unknown.test"), "no.unknown.test");
    const id = await nextAsk(2);
    await t.broker.receive({ type: "answer", id, verdict: "deny", scope: "once" });
    assert.match(await ended, /access denied/);
    assert.equal(resolved.length, 1);
    await t.record((each) => each.code === "not-approved");
  });

  test("another server name, none, or no TLS is refused without an ask", async () => {
    const address = await addressOf("www.unknown.test");
    assert.match(await dial(address, "other.unknown.test").ended, /unrecognized name/);
    const plain = net.connect(t.port, address);
    plain.write("GET / HTTP/1.1\r\nHost: www.unknown.test\r\n\r\n");
    assert.match(await collect(plain), /not-tls/);
    assert.equal(asks().length, 2);
  });

  test("nothing of it holds where the bot may not ask", async () => {
    const address = await addressOf("www.unknown.test");
    await inForce(false);
    await assert.rejects(resolver.resolve4("www.unknown.test"), { code: "ENOTFOUND" });
    await dial(address, "www.unknown.test").ended;
    assert.equal(asks().length, 2);
    await inForce(true);
  });
});

test("UnknownHosts keeps 256 names of a bot, those used last, and keeps bots apart", () => {
  const bots = new Map(
    ["a", "b"].map((name) => [name, { plan: { unknownHosts: "ask" }, names: new Map() }]),
  );
  const deployment = { bots } as unknown as ReturnType<
    NonNullable<ConstructorParameters<typeof UnknownHosts>[0]>
  >;
  const unknown = new UnknownHosts(() => deployment);
  const v4 = (bot: string, name: string) => unknown.names(bot).get(name)?.v4 ?? "";
  const nameOf = (bot: string, address: string) =>
    unknown.grantedFor({ bot, address, port: 443 })?.host.name;
  const first = v4("a", "first.test");
  const kept = v4("a", "kept.test");
  for (let count = 0; count < 254; count += 1) v4("a", `n${count}.test`);
  assert.equal(nameOf("a", first), "first.test");
  assert.equal(nameOf("a", kept), "kept.test");
  for (let count = 0; count < 300; count += 1) {
    v4("a", `m${count}.test`);
    assert.equal(nameOf("a", kept), "kept.test");
  }
  assert.notEqual(nameOf("a", first), "first.test");
  const taken = Array.from({ length: 56 }, (_each, count) => v4("a", `m${244 + count}.test`));
  assert.equal(new Set(taken).size, 56);
  assert.equal(nameOf("b", kept), undefined);
});
