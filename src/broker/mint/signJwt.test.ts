import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { importSPKI, jwtVerify } from "jose";
import { readRsaKey, signJwt } from "./signJwt.ts";

const PAIR = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = (type: "pkcs1" | "pkcs8"): string =>
  PAIR.privateKey.export({ type, format: "pem" }) as string;

function keyOf(text: string): Exclude<ReturnType<typeof readRsaKey>, { wrong: string }> {
  const key = readRsaKey(text);
  assert.ok(!("wrong" in key));
  return key;
}

test("signJwt() makes what jose takes, whatever the claims", async () => {
  const publicKey = await importSPKI(
    PAIR.publicKey.export({ type: "spki", format: "pem" }) as string,
    "RS256",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc
          .string({ unit: "grapheme" })
          .filter((name) => !["nbf", "exp", "iat", "__proto__"].includes(name)),
        fc.oneof(fc.string({ unit: "grapheme" }), fc.integer()),
      ),
      fc.constantFrom("pkcs1" as const, "pkcs8" as const),
      async (claims, type) => {
        const { payload, protectedHeader } = await jwtVerify(
          signJwt(keyOf(pem(type)), claims, { kid: "k" }),
          publicKey,
          { algorithms: ["RS256"] },
        );
        assert.deepEqual({ ...payload }, { ...claims });
        assert.deepEqual(protectedHeader, { alg: "RS256", typ: "JWT", kid: "k" });
      },
    ),
    { numRuns: 60 },
  );
});

test("signJwt() signs what it says: a changed claim is refused", async () => {
  const publicKey = await importSPKI(
    PAIR.publicKey.export({ type: "spki", format: "pem" }) as string,
    "RS256",
  );
  const [header, , signature] = signJwt(keyOf(pem("pkcs8")), { sub: "a" }).split(".");
  const forged = Buffer.from('{"sub":"b"}').toString("base64url");
  await assert.rejects(jwtVerify(`${header}.${forged}.${signature}`, publicKey));
});

for (const [what, text, says] of [
  [
    "an EC key",
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    }),
    /another kind/,
  ],
  [
    "an Ed25519 key",
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
    /another kind/,
  ],
  [
    "an RSA-PSS key",
    generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    }),
    /another kind/,
  ],
  [
    "a short RSA key",
    generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    }),
    /less than 2048/,
  ],
  [
    "an encrypted key",
    PAIR.privateKey.export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "p",
    }),
    /not a private key in PEM/,
  ],
  [
    "a public key",
    PAIR.publicKey.export({ type: "spki", format: "pem" }),
    /not a private key in PEM/,
  ],
  ["half a key", pem("pkcs8").slice(0, 400), /can't be read/],
  ["nothing", "", /not a private key in PEM/],
] as const) {
  test(`readRsaKey() says what is wrong with ${what}`, () => {
    const key = readRsaKey(String(text));
    assert.ok("wrong" in key);
    assert.match(key.wrong, says);
  });
}
