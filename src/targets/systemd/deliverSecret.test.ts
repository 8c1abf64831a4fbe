import assert from "node:assert/strict";
import { test } from "node:test";
import type { BotPlan, Plan, SecretSource } from "../../plan/index.ts";
import { TargetError } from "../TargetError.ts";
import { deliverSecrets } from "./deliverSecret.ts";
import { SYSTEMD_PATHS } from "./SystemdInput.ts";

/** A plan as far as deliveries depend on it: one bot that uses `used`, and one that uses the rest. */
function deliver(
  sources: Readonly<Record<string, SecretSource>>,
  used: readonly string[],
  minted?: Plan["minted"],
) {
  const bot = { grants: used.map((secret) => ({ kind: "inject", secret })) } as unknown as BotPlan;
  const secrets = Object.entries(sources).map(([name, source]) => ({ name, source }));
  const plan = { secrets, ...(minted === undefined ? {} : { minted }) } as unknown as Plan;
  return deliverSecrets(plan, bot, SYSTEMD_PATHS);
}

test("deliverSecrets() gives a broker the secrets of its own grants, each as a credential", () => {
  const given = deliver(
    {
      a: { store: "vault", key: "a" },
      b: { store: "file", path: "/run/secrets/b" },
      c: { store: "credential", name: "c" },
      d: { store: "credential", name: "sealed", path: "/srv/d.cred" },
      other: { store: "file", path: "/run/secrets/other" },
    },
    ["a", "b", "c", "d"],
  );
  const lines = given.flatMap(({ directives }) => directives.map((each) => each.join("=")));
  assert.deepEqual(lines, [
    "LoadCredential=vault.age:/var/lib/seawall/vault/vault.age",
    "LoadCredential=vault.key:/var/lib/seawall/vault/vault.key",
    "LoadCredential=secret.b:/run/secrets/b",
    "LoadCredentialEncrypted=c:/etc/credstore.encrypted/c",
    "LoadCredentialEncrypted=sealed:/srv/d.cred",
  ]);
  assert.deepEqual(
    given.map(({ secret, source }) => [secret, source.store, "name" in source && source.name]),
    [
      ["a", "vault", false],
      ["b", "credential", "secret.b"],
      ["c", "credential", "c"],
      ["d", "credential", "sealed"],
    ],
  );
});

test("deliverSecrets() brings what a minted secret is made from, and nothing for one that isn't used", () => {
  const minted: Plan["minted"] = [
    {
      name: "made",
      mint: { kind: "google-service-account", key: "key", scopes: ["a"] },
      endpoint: { host: { scheme: "https", name: "a.example.com", port: 443 }, path: "/" },
    } as unknown as NonNullable<Plan["minted"]>[number],
  ];
  const sources = { key: { store: "file", path: "/run/secrets/key" } } as const;
  assert.deepEqual(
    deliver(sources, ["made"], minted).map(({ secret }) => secret),
    ["key"],
  );
  assert.deepEqual(deliver(sources, [], minted), []);
});

const REFUSED: readonly SecretSource[] = [
  { store: "age", path: "/a.age", identity: "/key" },
  { store: "sops", path: "/a.yaml", key: ["a"], identity: "/key" },
  { store: "keyring", service: "seawall", account: "a" },
  { store: "exec", command: ["op", "read", "a"] },
  { store: "env", variable: "A" },
  { store: "file", path: "secrets/a" },
  { store: "file", path: "~/a" },
  { store: "credential", name: "a", path: "a.cred" },
];

for (const source of REFUSED) {
  test(`deliverSecrets() refuses what can't be had at boot: ${JSON.stringify(source)}`, () => {
    assert.throws(
      () => deliver({ a: source }, ["a"]),
      (error) =>
        error instanceof TargetError && error.code === "no-place" && error.hint !== undefined,
    );
    // One that the bot doesn't use stands in nobody's way.
    assert.deepEqual(deliver({ a: source }, []), []);
  });
}
