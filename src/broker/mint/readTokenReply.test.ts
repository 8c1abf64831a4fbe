import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readServiceAccount } from "./readServiceAccount.ts";
import { readGithubReply, readOauthError, readOauthReply } from "./readTokenReply.ts";

const NOW = Date.UTC(2026, 10, 27);

/** JSON that is nearly a reply, or anything at all. */
const reply = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.json(),
  fc
    .record(
      {
        access_token: fc.oneof(fc.string(), fc.constant("abcdefghijkl"), fc.jsonValue()),
        token: fc.oneof(fc.string(), fc.constant("abcdefghijkl"), fc.jsonValue()),
        token_type: fc.oneof(fc.constantFrom("bearer", "Bearer", "BEARER", "mac"), fc.jsonValue()),
        expires_in: fc.oneof(fc.double(), fc.integer(), fc.string(), fc.jsonValue()),
        expires_at: fc.oneof(
          fc.constantFrom("2026-11-27T01:00:00Z", "2020-01-01T00:00:00Z", ""),
          fc.jsonValue(),
        ),
        refresh_token: fc.oneof(fc.constant("abcdefghijkl"), fc.string(), fc.jsonValue()),
        error: fc.oneof(fc.constantFrom("invalid_grant", "secret"), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    .map((fields) => JSON.stringify(fields)),
);

test("readOauthReply() and readGithubReply() give what can be sent and has a life, or a reason", () => {
  let good = 0;
  fc.assert(
    fc.property(reply, (body) => {
      for (const minted of [readOauthReply(body), readGithubReply(body, NOW)]) {
        if ("wrong" in minted) {
          assert.match(minted.wrong, /^[a-z]/);
          continue;
        }
        good += 1;
        assert.match(minted.token.revealSecret(), /^[\x21-\x7e]{8,8192}$/);
        assert.match(minted.refreshToken?.revealSecret() ?? "absent--", /^[\x21-\x7e]{8,8192}$/);
        assert.ok(minted.lifetimeMs >= 5000 && minted.lifetimeMs <= 86_400_000);
      }
      const error = readOauthError(body);
      assert.ok(error === undefined || /^[a-z_]+$/.test(error));
    }),
    { numRuns: 3000 },
  );
  assert.ok(good > 20, "control: some of them are good");
});

test("readOauthError() repeats no word that isn't the protocol's", () => {
  assert.equal(readOauthError('{"error":"invalid_grant"}'), "invalid_grant");
  assert.equal(readOauthError('{"error":"your_token_abc"}'), undefined);
});

test("readServiceAccount() says in words what is wrong with anything, nothing of it quoted", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
      const account = readServiceAccount(text, "https://oauth2.googleapis.com/token");
      assert.ok("wrong" in account);
      assert.match(account.wrong, /^(?:is|has) /);
    }),
  );
});
