import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { test } from "node:test";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { parseAgeIdentity } from "./AgeIdentity.ts";
import { decryptAge, type Decrypted } from "./decryptAge.ts";
import type { AgeKey } from "./unwrapFileKey.ts";

const vectors = { ...(await import("cctv-age")) } as unknown as Record<string, Uint8Array>;

interface Vector {
  readonly name: string;
  readonly expect: string;
  readonly payload: string | undefined;
  readonly keys: readonly AgeKey[];
  readonly file: Uint8Array;
}

/** Vectors for what we read: binary and armored files, X25519 identities, passphrases. */
function readVectors(): Vector[] {
  const out: Vector[] = [];
  for (const [name, bytes] of Object.entries(vectors)) {
    const all = Buffer.from(bytes);
    const split = all.indexOf("\n\n");
    const fields = all
      .toString("utf8", 0, split)
      .split("\n")
      .map((line) => /^([^:]+): (.*)$/.exec(line))
      .map((match) => ({ key: match?.[1] ?? "", value: match?.[2] ?? "" }));
    const valuesOf = (key: string): string[] =>
      fields.filter((field) => field.key === key).map((field) => field.value);
    if (valuesOf("identity").some((id) => id.includes("-PQ-"))) continue;
    const keys: AgeKey[] = [
      ...valuesOf("identity").map((text) => {
        const identity = parseAgeIdentity(text);
        assert(identity, `${name}: identity not understood`);
        return { identity };
      }),
      ...valuesOf("passphrase").map((passphrase) => ({ passphrase })),
    ];
    const body = all.subarray(split + 2);
    out.push({
      name,
      expect: valuesOf("expect")[0] ?? "",
      payload: valuesOf("payload")[0],
      keys,
      file: valuesOf("compressed").includes("zlib") ? inflateSync(body) : body,
    });
  }
  return out;
}

async function decryptWithAny(vector: Vector): Promise<Decrypted> {
  // The vector "empty" brings no key, since no key would help.
  for (const key of vector.keys.length > 0 ? vector.keys : [{ passphrase: "any" }]) {
    const result = await decryptAge(vector.file, key);
    if (!("fault" in result && result.fault === "foreign")) return result;
  }
  return { fault: "foreign" };
}

const usable = readVectors();

test("decryptAge() has most of age's vectors to be judged by", () => {
  assert(usable.length >= 120, `${usable.length}`);
  assert(usable.filter((vector) => vector.name.startsWith("armor")).length >= 20);
  assert(usable.some((vector) => vector.name.startsWith("scrypt")));
  assert(usable.some((vector) => vector.expect === "success"));
});

for (const vector of usable) {
  test(`decryptAge() does as age's vector ${vector.name} wants: ${vector.expect}`, async () => {
    const result = await decryptWithAny(vector);
    if (vector.expect === "success") {
      assert("text" in result, JSON.stringify(result));
      assert.equal(createHash("sha256").update(result.text).digest("hex"), vector.payload);
    } else if (vector.expect === "no match") {
      assert.deepEqual(result, { fault: "foreign" });
    } else {
      assert.deepEqual(result, { fault: "damaged" });
    }
  });
}

test("decryptAge() opens what age-encryption writes, at every chunk border", async () => {
  const { encrypt, key } = await freshKey();
  for (const length of [0, 1, 65535, 65536, 65537, 131072]) {
    const text = Buffer.alloc(length, 7);
    const result = await decryptAge(await encrypt(text), key);
    assert("text" in result && result.text.equals(text), `${length}`);
  }
});

test("decryptAge() refuses whatever age-encryption refuses, and never throws", async () => {
  const { encrypt, key, identity } = await freshKey();
  const file = await encrypt(Buffer.from("fourteen bytes"));
  await fc.assert(
    fc.asyncProperty(
      fc.nat(file.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom("flip", "cut", "insert", "drop"),
      async (at, value, how) => {
        const changed =
          how === "cut"
            ? file.subarray(0, at)
            : how === "drop"
              ? Buffer.concat([file.subarray(0, at), file.subarray(at + 1)])
              : how === "insert"
                ? Buffer.concat([file.subarray(0, at), Buffer.of(value), file.subarray(at)])
                : Buffer.from(file.map((byte, index) => (index === at ? byte ^ value : byte)));
        const ours = await decryptAge(changed, key);
        const decrypter = new Decrypter();
        decrypter.addIdentity(identity);
        const theirs = await decrypter.decrypt(changed).catch(() => undefined);
        assert.equal("text" in ours, theirs !== undefined);
        assert(!("text" in ours), "a changed file must not open");
      },
    ),
    { numRuns: 300 },
  );
});

test("parseAgeIdentity() takes an identity only letter for letter", async () => {
  const text = await generateX25519Identity();
  assert(parseAgeIdentity(text));
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === "Q" ? "P" : "Q";
    assert.equal(parseAgeIdentity(text.slice(0, at) + other + text.slice(at + 1)), undefined);
  }
  for (const bad of ["", "AGE-SECRET-KEY-1", text.toLowerCase(), ` ${text}`, `${text}Q`]) {
    assert.equal(parseAgeIdentity(bad), undefined);
  }
});

async function freshKey(): Promise<{
  identity: string;
  key: AgeKey;
  encrypt: (text: Uint8Array) => Promise<Uint8Array>;
}> {
  const identity = await generateX25519Identity();
  const parsed = parseAgeIdentity(identity);
  assert(parsed);
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  return { identity, key: { identity: parsed }, encrypt: (text) => encrypter.encrypt(text) };
}
