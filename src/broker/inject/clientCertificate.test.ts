import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import tls from "node:tls";
import { SecretValue } from "../../secrets/SecretValue.ts";
import { makeAuthority } from "../testing/certificates.ts";
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
