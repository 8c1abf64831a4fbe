import assert from "node:assert/strict";
import { test } from "node:test";
import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { BrokerDial } from "../BrokerConfig.ts";
import type { Granted } from "../Deployment.ts";
import { AddressRefusedError, destinationOf, isAllowed } from "./Destination.ts";
import { findAddresses } from "./findAddresses.ts";

function granted(name: string, scheme: "https" | "http", dial?: BrokerDial): Granted {
  return {
    bot: "basecamp",
    grant: { kind: "tunnel", name: "g", hosts: [], ...(dial === undefined ? {} : { dial }) },
    host: { name, port: 443, scheme },
  };
}

/** What would be dialled for a name that resolves to these. */
async function look(
  to: Granted,
  addresses: readonly string[],
): Promise<readonly string[] | string> {
  const resolve = (): Promise<LookupAddress[]> =>
    Promise.resolve(addresses.map((address) => ({ address, family: isIP(address) })));
  try {
    return await findAddresses(destinationOf(to), resolve);
  } catch (error) {
    assert.ok(error instanceof AddressRefusedError);
    return error.code;
  }
}

test("findAddresses() leaves only public addresses of a service's name", async () => {
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

test("findAddresses() lets a name in dial be private, never metadata or link-local", async () => {
  const to = granted("api.example.test", "https", { host: "proxy.lan" });
  assert.deepEqual(
    await look(to, ["10.0.0.1", "169.254.169.254", "fe80::1", "168.63.129.16", "127.0.0.1"]),
    ["10.0.0.1", "127.0.0.1"],
  );
});

test("findAddresses() keeps plain HTTP on private networks", async () => {
  assert.equal(await look(granted("sonarr.test", "http"), ["8.8.8.8"]), "SEAWALL_ADDRESS_REFUSED");
  assert.deepEqual(
    await look(granted("sonarr.test", "http", { host: "sonarr.lan" }), ["8.8.8.8", "10.0.0.5"]),
    ["10.0.0.5"],
  );
});

function dialable(name: string, scheme: "https" | "http", dial?: BrokerDial): boolean {
  const destination = destinationOf(granted(name, scheme, dial));
  return isAllowed(destination, destination.host);
}

test("isAllowed() allows a literal that the grant names, over plain HTTP only a private one", () => {
  assert.equal(dialable("10.0.0.5", "http"), true);
  assert.equal(dialable("8.8.8.8", "http"), false);
  assert.equal(dialable("api.example.test", "http", { host: "8.8.8.8" }), false);
  assert.equal(dialable("api.example.test", "https", { host: "127.0.0.1" }), true);
  assert.equal(dialable("8.8.8.8", "https"), true);
});

test("findAddresses() resolves no literal, and gives the first of many addresses", async () => {
  const resolve = (): never => assert.fail("asked");
  assert.deepEqual(await findAddresses(destinationOf(granted("10.0.0.5", "https")), resolve), [
    "10.0.0.5",
  ]);
  const many = Array.from({ length: 50 }, (_, at) => `8.8.8.${at}`);
  const some = await look(granted("many.test", "https"), [...many, "2606:4700::1"]);
  assert.deepEqual(some.slice(0, 3), ["8.8.8.0", "2606:4700::1", "8.8.8.1"]);
  assert.equal(some.length, 16);
});

test("isAllowed() lets a service's own name be private inside the networks that the grant names", () => {
  const allowed = (networks: readonly string[], address: string): boolean =>
    isAllowed(destinationOf(granted("nas.example.test", "https", { networks })), address);
  assert.equal(allowed(["10.1.0.0/16"], "10.1.2.3"), true);
  assert.equal(allowed(["10.1.0.0/16"], "::ffff:10.1.2.3"), true);
  assert.equal(allowed(["10.1.0.0/16"], "8.8.8.8"), true);
  assert.equal(allowed(["10.1.0.0/16"], "10.2.0.1"), false);
  assert.equal(allowed(["10.1.0.0/16"], "::10.1.2.3"), false);
  assert.equal(allowed(["10.1.0.0/16"], "64:ff9b::10.1.2.3"), false);
  assert.equal(allowed(["fd00::/8"], "fd12::1"), true);
  assert.equal(allowed(["fd12:3::/32", "192.168.7.7/32"], "192.168.7.7"), true);
  assert.equal(allowed(["fd12:3::/32"], "fd13::1"), false);
  assert.equal(allowed(["100.64.0.0/10"], "100.99.1.1"), true);
});

test("isAllowed() lets no network open loopback unnamed, link-local or metadata addresses", () => {
  const allowed = (network: string, address: string): boolean =>
    isAllowed(
      destinationOf(granted("nas.example.test", "https", { networks: [network] })),
      address,
    );
  for (const address of ["127.0.0.1", "169.254.169.254", "169.254.1.1", "168.63.129.16"])
    assert.equal(allowed("0.0.0.0/0", address), false, address);
  assert.equal(allowed("0.0.0.0/0", "10.0.0.1"), true);
  assert.equal(allowed("0.0.0.0/0", "0.0.0.0"), false);
  assert.equal(allowed("0.0.0.0/0", "224.0.0.1"), false);
  for (const address of ["::1", "fe80::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1%eth0"])
    assert.equal(allowed("::/0", address), false, address);
  assert.equal(allowed("100.64.0.0/10", "100.100.100.200"), false);
  assert.equal(allowed("169.254.0.0/16", "169.254.1.1"), false);
  assert.equal(allowed("fd00::/8", "fd00:ec2::254"), false);
  assert.equal(allowed("127.0.0.0/8", "127.0.0.1"), true);
  assert.equal(allowed("::1/128", "::1"), true);
});

test("isAllowed() takes a network that can't be read for none", () => {
  for (const network of [
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10/8",
    "fd00::/129",
    "::ffff:10.0.0.0/8",
    "",
    "x/8",
  ])
    assert.equal(
      isAllowed(destinationOf(granted("nas.test", "https", { networks: [network] })), "10.0.0.1"),
      false,
      network,
    );
});

test("isAllowed() lets plain HTTP reach private networks by the service's own name only inside the grant's", () => {
  const to = destinationOf(granted("nas.test", "http", { networks: ["10.0.0.0/8"] }));
  assert.equal(isAllowed(to, "10.0.0.1"), true);
  assert.equal(isAllowed(to, "192.168.0.1"), false);
  assert.equal(isAllowed(to, "8.8.8.8"), false);
});
