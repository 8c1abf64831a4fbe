import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import https from "node:https";
import tls from "node:tls";
import { SecretValue } from "../../secrets/SecretValue.ts";
import { makeAuthority } from "../testing/certificates.ts";
import { modelGrant } from "../testing/grants.ts";
import { TestBroker } from "../testing/TestBroker.ts";
import { readClientCertificate } from "./clientCertificate.ts";

const authority = await makeAuthority("clients");
const { chain, key } = await authority.issue(["bot.test"]);
const other = await authority.issue(["other.test"]);

function read(value: string): ReturnType<typeof readClientCertificate> {
  return readClientCertificate(
    {
      secrets: new Map([["client", { store: "vault", key: "client" }]]),
      store: { read: () => Promise.resolve(new SecretValue(value)) },
    },
    "client",
  );
}

test("readClientCertificate() gives what OpenSSL takes, whatever the order and the text around", async () => {
  for (const value of [
    `${chain}\n${key}`,
    `${key}${chain}`,
    `Bag Attributes\n  x: y\n${key}\r\nsubject=/CN=bot\n${chain}\n${authority.ca}`,
  ]) {
    const found = await read(value);
    assert.ok(tls.createSecureContext({ ...found }));
  }
  const ec = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "sec1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  await assert.rejects(read(`${chain}\n${ec.privateKey}`), /not the first certificate's/);
});

const encrypted = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

for (const [what, value] of [
  ["a key without a certificate", key],
  ["a certificate without a key", chain],
  ["two keys", `${chain}\n${key}\n${other.key}`],
  ["another certificate's key", `${chain}\n${other.key}`],
  ["an encrypted key", `${chain}\n${encrypted}`],
  ["a damaged key", `${chain}\n${key.replace(/[A-Za-z0-9]{20}/, "A".repeat(20))}`],
  ["a damaged certificate", `${chain.replace(/[A-Za-z0-9]{20}/, "A".repeat(20))}\n${key}`],
  [
    "a damaged second certificate",
    `${key}\n${chain}\n${authority.ca.replace(/[A-Za-z0-9]{20}/, "A".repeat(20))}`,
  ],
  ["a token", "sk-real-0123456789"],
] as const) {
  test(`readClientCertificate() refuses ${what} and repeats nothing of it`, async () => {
    await assert.rejects(read(value), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, "secret-unusable");
      const told = `${error.message} ${error.hint ?? ""} ${String(error.cause)} ${error.stack ?? ""}`;
      for (const word of value.match(/[A-Za-z0-9+/]{12,}/g) ?? []) assert.ok(!told.includes(word));
      return true;
    });
  });
}

test("a host that asks for a certificate gets the grant's, the new one after it was replaced", async (t) => {
  const broker = await TestBroker.start();
  t.after(() => broker.end());
  const { chain: serverChain, key: serverKey } = await broker.upstreamAuthority.issue([
    "mtls.test",
  ]);
  const seen: string[] = [];
  const server = https.createServer(
    {
      cert: serverChain,
      key: serverKey,
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority.ca,
    },
    (request, response) => {
      const { subject } = (request.socket as tls.TLSSocket).getPeerCertificate();
      seen.push(`${String(subject.CN)} ${String(request.headers["x-api-key"])}`);
      response.end("welcome");
    },
  );
  const port = await broker.plainServer(server);
  const address = broker.nextAddress();
  const grant = modelGrant(
    {
      port: broker.port,
      address,
      dial: {
        host: "127.0.0.1",
        port,
        ca: broker.upstreamAuthority.ca,
        clientCertificate: "client",
      },
    },
    { hosts: [{ name: "mtls.test", port: broker.port, scheme: "https", v4: address }] },
  );
  broker.secrets.set("model", "sk-real-0123456789").set("client", `${chain}${key}`);
  await broker.bot("basecamp", [grant]);
  assert.deepEqual(await broker.configure(), { type: "configured" });
  const call = async (): Promise<string> => {
    const headers = { "x-api-key": grant.phantom };
    const reply = await broker.request(
      { name: "mtls.test", address },
      { path: "/v1/models/x", headers },
    );
    return reply.status === 200
      ? reply.body
      : (JSON.parse(reply.body) as { error: { code: string } }).error.code;
  };
  assert.equal(await call(), "welcome");
  broker.secrets.set("client", `${other.chain}${other.key}`);
  // Connections that are there were made by the old one.
  server.closeAllConnections();
  assert.equal(await call(), "welcome");
  assert.deepEqual(seen, ["bot.test sk-real-0123456789", "other.test sk-real-0123456789"]);

  broker.secrets.set("client", `${chain}${other.key}`);
  assert.equal(await call(), "secret-unavailable");
  assert.ok(broker.sent.some((each) => each.type === "health" && each.key === "secret:client"));
  assert.equal(seen.length, 2);
  const refused = await broker.configure();
  assert.equal(refused?.type, "refused");
  for (const line of key.split("\n").slice(1, -2)) assert.ok(!broker.everything().includes(line));
});
