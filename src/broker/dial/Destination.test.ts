import assert from "node:assert/strict";
import { test } from "node:test";
import type { LookupAddress } from "node:dns";
import type { BrokerDial } from "../BrokerConfig.ts";
import type { Granted } from "../Deployment.ts";
import { classifyAddress } from "./classifyAddress.ts";
import { destinationOf, guardedLookup, mayDial } from "./Destination.ts";

const CLASSES: readonly [string, ReturnType<typeof classifyAddress>][] = [
  ["8.8.8.8", "public"],
  ["2606:4700::1111", "public"],
  ["64:ff9b::808:808", "public"],
  ["::ffff:8.8.8.8", "public"],
  ["10.1.2.3", "private"],
  ["192.168.0.1", "private"],
  ["100.64.0.1", "private"],
  ["fd12::1", "private"],
  ["::ffff:10.0.0.1", "private"],
  ["127.0.0.1", "loopback"],
  ["::1", "loopback"],
  ["::ffff:7f00:1", "loopback"],
  ["169.254.1.1", "link-local"],
  ["fe80::1", "link-local"],
  ["fe80::1%eth0", "link-local"],
  ["169.254.169.254", "metadata"],
  ["::ffff:169.254.169.254", "metadata"],
  ["fd00:ec2::254", "metadata"],
  ["168.63.129.16", "metadata"],
  ["100.100.100.200", "metadata"],
  ["64:ff9b::a00:1", "special"],
  ["64:ff9b::a9fe:a9fe", "special"],
  ["64:ff9b:1::1", "special"],
  ["2002:a00:1::1", "special"],
  ["2001:0:1::1", "special"],
  ["::10.0.0.1", "special"],
  ["::8.8.8.8", "special"],
  ["64:ff9b::8.8.8.8", "public"],
  ["::ffff:010.0.0.1", "special"],
  ["::", "special"],
  ["0.0.0.0", "special"],
  ["0.1.2.3", "special"],
  ["224.0.0.1", "special"],
  ["255.255.255.255", "special"],
  ["198.18.0.1", "special"],
  ["192.0.2.1", "special"],
  ["240.0.0.1", "special"],
  ["ff02::1", "special"],
  ["2001:db8::1", "special"],
  ["5f00::1", "special"],
  ["0177.0.0.1", "special"],
  ["127.1", "special"],
  ["nonsense", "special"],
];
for (const [address, wanted] of CLASSES) {
  test(`classifyAddress() finds ${address} ${wanted}`, () => {
    assert.equal(classifyAddress(address), wanted);
  });
}

function granted(name: string, scheme: "https" | "http", dial?: BrokerDial): Granted {
  return {
    bot: "basecamp",
    grant: { kind: "tunnel", name: "g", hosts: [], ...(dial === undefined ? {} : { dial }) },
    host: { name, port: 443, scheme },
  };
}

/** What a socket would be given for a name that resolves to these. */
function look(to: Granted, addresses: readonly string[]): Promise<readonly string[] | string> {
  const resolve = (): Promise<LookupAddress[]> =>
    Promise.resolve(
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  return new Promise((done) => {
    guardedLookup(destinationOf(to).allowed, resolve)("name", { all: true }, (error, found) => {
      if (error !== null) done(error.code ?? "error");
      else done((found as LookupAddress[]).map((each) => each.address));
    });
  });
}

test("guardedLookup() leaves only public addresses of a service's name", async () => {
  const to = granted("api.example.test", "https");
  assert.deepEqual(
    await look(to, [
      "10.0.0.1",
      "8.8.8.8",
      "169.254.169.254",
      "::ffff:127.0.0.1",
      "2606:4700::1111",
    ]),
    ["8.8.8.8", "2606:4700::1111"],
  );
  assert.equal(await look(to, ["127.0.0.1"]), "SEAWALL_ADDRESS_REFUSED");
});

test("guardedLookup() lets a name in dial be private, never metadata or link-local", async () => {
  const to = granted("api.example.test", "https", { host: "proxy.lan" });
  assert.deepEqual(
    await look(to, ["10.0.0.1", "169.254.169.254", "fe80::1", "168.63.129.16", "127.0.0.1"]),
    ["10.0.0.1", "127.0.0.1"],
  );
});

test("guardedLookup() keeps plain HTTP on private networks", async () => {
  assert.equal(await look(granted("sonarr.test", "http"), ["8.8.8.8"]), "SEAWALL_ADDRESS_REFUSED");
  assert.deepEqual(
    await look(granted("sonarr.test", "http", { host: "sonarr.lan" }), ["8.8.8.8", "10.0.0.5"]),
    ["10.0.0.5"],
  );
});

function dialable(name: string, scheme: "https" | "http", dial?: BrokerDial): boolean {
  return mayDial(destinationOf(granted(name, scheme, dial)));
}

test("mayDial() allows a literal that the grant names, over plain HTTP only a private one", () => {
  assert.equal(dialable("10.0.0.5", "http"), true);
  assert.equal(dialable("8.8.8.8", "http"), false);
  assert.equal(dialable("api.example.test", "http", { host: "8.8.8.8" }), false);
  assert.equal(dialable("api.example.test", "https", { host: "127.0.0.1" }), true);
  assert.equal(dialable("8.8.8.8", "https"), true);
});
