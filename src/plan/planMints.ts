import { isIP } from "node:net";
import type { DeclaredOauth2, DeclaredSecret, Fault, Path } from "../declaration/index.ts";
import { planDial } from "./planDial.ts";
import { parseOrigin } from "./resolveServices.ts";
import type { MintedSecret, MintPlan } from "./Plan.ts";

/** Google's one token endpoint; a key's own `token_uri` must name it, see the broker's `readServiceAccount`. */
const GOOGLE = "https://oauth2.googleapis.com/token";
const GITHUB = "https://api.github.com";

/** What `oauth2` says itself. */
const RESERVED = new Set([
  "grant_type",
  "client_id",
  "client_secret",
  "client_assertion",
  "refresh_token",
  "scope",
]);

/** Whether a declared secret is made by the broker and not kept in a store. */
export function isMint(declared: DeclaredSecret): boolean {
  const { oauth2, googleServiceAccount, githubApp } = declared;
  return [oauth2, googleServiceAccount, githubApp].some((made) => made !== undefined);
}

/** The secrets that one is made from. */
export function materialOf(mint: MintPlan): string[] {
  switch (mint.kind) {
    case "oauth2":
      return [mint.clientSecret, mint.refreshToken].filter((name) => name !== undefined);
    case "google-service-account":
      return [mint.key];
    case "github-app":
      return [mint.privateKey];
    default:
      return mint satisfies never;
  }
}

/** Resolves all secrets that are made, by name; what is wrong with one is a fault. */
export function planMints(
  secrets: Readonly<Record<string, DeclaredSecret>>,
  faults: Fault[],
): ReadonlyMap<string, MintedSecret> {
  const names = new Set(Object.keys(secrets));
  const minted = new Map<string, MintedSecret>();
  for (const [name, declared] of Object.entries(secrets)) {
    if (!isMint(declared)) continue;
    const made = planMint(name, declared, names, faults);
    if (made !== undefined) minted.set(name, made);
  }
  for (const [name, { mint, dial }] of minted) {
    checkMaterial(name, mint, secrets, minted, faults);
    const certificate = dial?.clientCertificate;
    const declared = certificate === undefined ? undefined : secrets[certificate];
    if (declared === undefined || !isMint(declared)) continue;
    faults.push({
      code: "invalid",
      path: ["secrets", name],
      atKey: true,
      message: `the client certificate of secret "${name}" can't be a secret that is made`,
      hint: "name one that a store holds",
    });
  }
  return minted;
}

function planMint(
  name: string,
  declared: DeclaredSecret,
  names: ReadonlySet<string>,
  faults: Fault[],
): MintedSecret | undefined {
  const path = ["secrets", name];
  const { oauth2, googleServiceAccount: key, githubApp, scopes, subject } = declared;
  if (oauth2 !== undefined) {
    const at = [...path, "oauth2"];
    checkOauth2(name, oauth2, at, faults);
    const endpoint = endpointAt(oauth2.tokenUrl, [...at, "tokenUrl"], faults);
    const { clientId, clientSecret, refreshToken } = oauth2;
    return (
      endpoint && {
        name,
        mint: {
          kind: "oauth2",
          clientId,
          ...(clientSecret === undefined ? {} : { clientSecret }),
          clientAuthentication: oauth2.clientAuthentication ?? "body",
          ...(refreshToken === undefined ? {} : { refreshToken }),
          scopes: [...new Set(oauth2.scopes)].toSorted(),
          parameters: sorted(oauth2.parameters ?? {}),
        },
        endpoint,
        ...planDial(oauth2, at, names, faults),
      }
    );
  }
  if (key !== undefined && scopes !== undefined) {
    const endpoint = endpointAt(GOOGLE, path, faults);
    return (
      endpoint && {
        name,
        mint: {
          kind: "google-service-account",
          key,
          scopes: [...new Set(scopes)].toSorted(),
          ...(subject === undefined ? {} : { subject }),
        },
        endpoint,
        ...planDial(declared, path, names, faults),
      }
    );
  }
  if (githubApp === undefined) return undefined;
  const at = [...path, "githubApp"];
  const { appId, installationId, privateKey, repositories, permissions, apiUrl } = githubApp;
  const api = (apiUrl ?? GITHUB).replace(/\/$/, "");
  const endpoint = endpointAt(
    `${api}/app/installations/${installationId}/access_tokens`,
    [...at, ...(apiUrl === undefined ? [] : ["apiUrl"])],
    faults,
  );
  return (
    endpoint && {
      name,
      mint: {
        kind: "github-app",
        appId: String(appId),
        privateKey,
        ...(repositories === undefined
          ? {}
          : { repositories: [...new Set(repositories)].toSorted() }),
        ...(permissions === undefined ? {} : { permissions: sorted(permissions) }),
      },
      endpoint,
      ...planDial(githubApp, at, names, faults),
    }
  );
}

function checkOauth2(name: string, declared: DeclaredOauth2, path: Path, faults: Fault[]): void {
  const { clientSecret, refreshToken, scopes, parameters, clientAuthentication } = declared;
  if (refreshToken === undefined) {
    if (clientSecret === undefined) {
      faults.push({
        code: "missing",
        path,
        atKey: true,
        message: `secret "${name}" has neither a refresh token nor a client's secret to be made from`,
        hint: 'name the secret that holds it: clientSecret: "NAME" or refreshToken: "NAME"',
      });
    }
    if (scopes === undefined) {
      faults.push({
        code: "missing",
        path,
        atKey: true,
        message: `secret "${name}" doesn't say its scopes, so its tokens could do all that the client may`,
        hint: 'add scopes: ["…"], or scopes: [] where the provider has none',
      });
    }
  }
  if (clientAuthentication !== undefined && clientSecret === undefined) {
    faults.push({
      code: "no-effect",
      path: [...path, "clientAuthentication"],
      atKey: true,
      message: "there is no client's secret, so how it is sent could have no effect",
      hint: "remove it, or name the client's secret",
    });
  }
  for (const key of Object.keys(parameters ?? {})) {
    if (!RESERVED.has(key)) continue;
    faults.push({
      code: "invalid",
      path: [...path, "parameters", key],
      atKey: true,
      message: `"${key}" is said by the secret's other keys`,
      hint: "remove it here",
    });
  }
}

/** Every secret that one is made from must be kept in a store. */
function checkMaterial(
  name: string,
  mint: MintPlan,
  secrets: Readonly<Record<string, DeclaredSecret>>,
  minted: ReadonlyMap<string, MintedSecret>,
  faults: Fault[],
): void {
  for (const material of materialOf(mint)) {
    const path = ["secrets", name];
    const declared = Object.hasOwn(secrets, material) ? secrets[material] : undefined;
    if (declared === undefined) {
      faults.push({
        code: "unknown-secret",
        path,
        atKey: true,
        message: `secret "${name}" is made from secret "${material}", which no store declares`,
        hint: `add it under "secrets", as ${JSON.stringify(material)}: { vault: "${material}" }`,
      });
    } else if (isMint(declared)) {
      const circle = findCircle(name, material, minted);
      faults.push({
        code: "invalid",
        path,
        atKey: true,
        message:
          circle === undefined
            ? `secret "${name}" is made from "${material}", which is made itself`
            : `secret "${name}" would be made from itself (${circle.join(" from ")})`,
        hint: "name a secret that a store holds",
      });
    }
  }
}

function findCircle(
  name: string,
  material: string,
  minted: ReadonlyMap<string, MintedSecret>,
  way: readonly string[] = [name],
): readonly string[] | undefined {
  if (material === name) return [...way, name];
  const made = minted.get(material);
  if (made === undefined || way.includes(material)) return undefined;
  for (const next of materialOf(made.mint)) {
    const circle = findCircle(name, next, minted, [...way, material]);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** A token endpoint is known by its name, never by an address that may be somebody else's tomorrow. */
function endpointAt(
  url: string,
  path: Path,
  faults: Fault[],
): MintedSecret["endpoint"] | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const [host] = parsed === undefined ? [] : parseOrigin(parsed.origin, path, faults);
  if (
    parsed !== undefined &&
    host !== undefined &&
    isIP(host.name) === 0 &&
    host.name.includes(".")
  )
    return { host, path: parsed.pathname };
  faults.push({
    code: "invalid",
    path,
    message: "this is not the address of a token endpoint",
    hint: 'write it as "https://login.example.com/token"; where to connect instead stands in dial',
  });
  return undefined;
}

function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
