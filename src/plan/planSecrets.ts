import type { Declaration, DeclaredSecret, Fault } from "../declaration/index.ts";
import type { BotPlan, MintedSecret, Plan, SecretPlan, SecretSource } from "./Plan.ts";
import { isMint, materialOf } from "./planMints.ts";

type WayKey = (typeof WAYS)[number];

/** The keys that name a store or a way of making; each secret has one of them. */
const WAYS = [
  "vault",
  "file",
  "age",
  "sops",
  "systemdCredential",
  "keyring",
  "exec",
  "env",
  "oauth2",
  "googleServiceAccount",
  "githubApp",
] as const;

/** Further keys, and what they go with. */
const COMPANIONS = {
  key: ["sops"],
  identity: ["age", "sops"],
  passphrase: ["age", "sops"],
  encrypted: ["systemdCredential"],
  service: ["keyring"],
  scopes: ["googleServiceAccount"],
  subject: ["googleServiceAccount"],
  dial: ["googleServiceAccount"],
} as const satisfies Readonly<Record<string, readonly WayKey[]>>;

/** What the broker's own variables are, or make its program load or do something else. */
const STEERING = /^(?:NODE_.*|LD_.*|SSL_.*|OPENSSL_.*|SEAWALL_.*|UV_.*|PATH|HOME|TZ)$/;

/**
 * Where each secret that some grant uses is kept or how it is made, sorted by name. All of them are
 * checked.
 */
export function planSecrets(
  declared: Declaration["secrets"],
  mints: ReadonlyMap<string, MintedSecret>,
  bots: readonly Pick<BotPlan, "grants">[],
  faults: Fault[],
): Pick<Plan, "secrets" | "minted"> {
  const { used, minted } = collect(bots, [...mints.values()]);
  const secrets = Object.keys(declared)
    .toSorted()
    .flatMap((name) => {
      const source = planSource(name, declared, faults);
      return source !== undefined && used.has(name) ? [{ name, source }] : [];
    });
  return { secrets, ...(minted.length === 0 ? {} : { minted }) };
}

/** What the broker of one bot needs: secrets from stores, and those that it makes from them. */
export function usedSecrets(
  plan: Pick<Plan, "secrets" | "minted">,
  bot: Pick<BotPlan, "grants">,
): { readonly secrets: readonly SecretPlan[]; readonly minted: readonly MintedSecret[] } {
  const { used, minted } = collect([bot], plan.minted ?? []);
  return { secrets: plan.secrets.filter(({ name }) => used.has(name)), minted };
}

function collect(
  bots: readonly Pick<BotPlan, "grants">[],
  mints: readonly MintedSecret[],
): { readonly used: ReadonlySet<string>; readonly minted: readonly MintedSecret[] } {
  const used = new Set(
    bots.flatMap(({ grants }) =>
      grants.flatMap((grant) => [
        ...(grant.kind === "inject" && grant.secret !== "" ? [grant.secret] : []),
        ...(grant.dial?.clientCertificate === undefined ? [] : [grant.dial.clientCertificate]),
      ]),
    ),
  );
  const minted = mints
    .filter(({ name }) => used.has(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { mint, dial } of minted) {
    for (const name of materialOf(mint)) used.add(name);
    if (dial?.clientCertificate !== undefined) used.add(dial.clientCertificate);
  }
  return { used, minted };
}

function planSource(
  name: string,
  declared: Declaration["secrets"],
  faults: Fault[],
): SecretSource | undefined {
  const secret = declared[name];
  if (secret === undefined) return undefined;
  const found = faultsOf(name, secret, declared);
  faults.push(...found);
  return found.length > 0 ? undefined : sourceOf(secret, declared);
}

function faultsOf(name: string, secret: DeclaredSecret, declared: Declaration["secrets"]): Fault[] {
  const path = ["secrets", name];
  const named = WAYS.filter((store) => secret[store] !== undefined);
  const [store] = named;
  if (store === undefined || named.length > 1) {
    return [
      {
        code: store === undefined ? "missing" : "invalid",
        path,
        message:
          store === undefined
            ? `secret "${name}" says neither where it is kept nor how it is made`
            : `secret "${name}" says more than one thing it could be`,
        hint: `name one of ${WAYS.join(", ")}, as ${name}: { vault: "${name}" }`,
      },
    ];
  }
  const faults = Object.entries(COMPANIONS).flatMap(([key, stores]): Fault[] =>
    secret[key as keyof typeof COMPANIONS] === undefined ||
    (stores as readonly string[]).includes(store)
      ? []
      : [
          {
            code: "no-effect",
            path: [...path, key],
            atKey: true,
            message: `"${key}" has no effect beside "${store}"`,
            hint: `it goes with ${stores.join(" and ")}`,
          },
        ],
  );
  if (store === "sops" && secret.key === undefined)
    faults.push(lacks(path, "key", 'key: "anthropic/api_key"'));
  if (store === "sops" && secret.identity === undefined)
    faults.push(lacks(path, "identity", 'identity: "~/.config/sops/age/keys.txt"'));
  if (store === "age" && secret.identity === undefined && secret.passphrase === undefined)
    faults.push(lacks(path, "identity", 'identity: "/etc/ssh/ssh_host_ed25519_key"'));
  if (store === "googleServiceAccount" && secret.scopes === undefined)
    faults.push(
      lacks(path, "scopes", 'scopes: ["https://www.googleapis.com/auth/calendar.readonly"]'),
    );
  if (secret.env !== undefined && STEERING.test(secret.env)) {
    faults.push({
      code: "invalid",
      path: [...path, "env"],
      message: `${secret.env} steers the programs that have it and can't be a secret`,
      hint: "give the secret's variable a name of its own",
    });
  }
  return [...faults, ...passphraseFaults(path, secret, declared)];
}

function passphraseFaults(
  path: readonly string[],
  { passphrase }: DeclaredSecret,
  declared: Declaration["secrets"],
): Fault[] {
  if (passphrase === undefined) return [];
  const at = [...path, "passphrase"];
  const secret = declared[passphrase];
  if (secret === undefined) {
    return [
      {
        code: "unknown-secret",
        path: at,
        message: `secret "${passphrase}", which is to be the passphrase, is not declared`,
        hint: `add it under "secrets", as ${passphrase}: { vault: "${passphrase}" }`,
      },
    ];
  }
  const reason = isMint(secret)
    ? "is made itself"
    : secret.env !== undefined
      ? "stands in the environment"
      : secret.passphrase === undefined
        ? undefined
        : "takes one itself";
  if (reason === undefined) return [];
  return [
    {
      code: "invalid",
      path: at,
      message: `secret "${passphrase}" can't be a passphrase: it ${reason}`,
      hint: "keep the passphrase in the vault or the keyring",
    },
  ];
}

function lacks(path: readonly string[], key: string, example: string): Fault {
  return {
    code: "missing",
    path,
    message: `"${key}" is missing in "${path.at(-1) ?? ""}"`,
    hint: `add it, as ${example}`,
  };
}

/** Of a secret without faults. */
function sourceOf(
  secret: DeclaredSecret,
  declared: Declaration["secrets"],
): SecretSource | undefined {
  const { identity, passphrase: named } = secret;
  const opener = named === undefined ? undefined : declared[named];
  const passphrase = opener === undefined ? undefined : sourceOf(opener, declared);
  const openedBy = passphrase === undefined ? {} : { passphrase };
  if (secret.vault !== undefined) return { store: "vault", key: secret.vault };
  if (secret.file !== undefined) return { store: "file", path: secret.file };
  if (secret.age !== undefined) {
    return {
      store: "age",
      path: secret.age,
      ...(identity === undefined ? {} : { identity }),
      ...openedBy,
    };
  }
  if (secret.sops !== undefined && identity !== undefined) {
    const key = secret.key?.split("/") ?? [];
    return { store: "sops", path: secret.sops, key, identity, ...openedBy };
  }
  if (secret.systemdCredential !== undefined) {
    return {
      store: "credential",
      name: secret.systemdCredential,
      ...(secret.encrypted === undefined ? {} : { path: secret.encrypted }),
    };
  }
  if (secret.keyring !== undefined) {
    return { store: "keyring", service: secret.service ?? "seawall", account: secret.keyring };
  }
  if (secret.exec !== undefined) return { store: "exec", command: secret.exec };
  return secret.env === undefined ? undefined : { store: "env", variable: secret.env };
}
