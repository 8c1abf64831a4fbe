import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { catalogue } from "../../catalogue/index.ts";
import type { Declaration } from "../../declaration/index.ts";
import { planRun, type RunPlan, type SecretPlan } from "../../plan/index.ts";
import {
  describePlace,
  type CustomCredential,
  type Entry,
  type Policy,
} from "../../profiles/index.ts";
import { RunError } from "../../run/index.ts";
import { loadDeclaration, readMintCas, type LoadedDeclaration } from "../loadDeclaration.ts";
import { resolveSource } from "../resolveSecrets.ts";

/** What a policy's network comes to: grants, and the secrets they need. */
export interface NetworkPlan {
  readonly plan: RunPlan;
  readonly secrets: readonly SecretPlan[];
  /** PEM text by secret, for the token endpoints that name a CA. */
  readonly mintCas: Readonly<Record<string, string>>;
  /** The same by grant, for grants that name a CA. */
  readonly cas?: Readonly<Record<string, string>>;
}

interface Declared extends Pick<Declaration, "services" | "secrets"> {
  readonly loaded?: LoadedDeclaration;
}

/**
 * Resolves hosts and credentials of a policy. A credential is a service of the profile's own, of the
 * declaration in the configuration folder, or of the catalogue; its secret is the declaration's of that
 * name, or the vault's. A declaration in the working folder is not looked at: what works there may
 * have written it.
 *
 * @throws RunError `no-credential`, `clash`; DeclarationError
 */
export async function planNetwork(
  policy: Policy,
  env: Readonly<Record<string, string | undefined>>,
): Promise<NetworkPlan> {
  const { network } = policy;
  const declared = ownDeclaration(env);
  const { loaded } = declared;
  const denied = new Set(network.denyDomain.map(({ value }) => value.toLowerCase()));
  const services = { ...declared.services, ...customServices(network.custom) };
  const wanted = new Map<string, string>();
  const want = (service: string, secret: string): void => void wanted.set(service, secret);
  for (const entry of network.credentials) {
    const name = serviceNamed(entry.value, services);
    if (name === undefined) {
      throw new RunError("no-credential", `there is no service "${entry.value}"`, {
        where: await describePlace(entry.origin),
        hint: "see: seawall service list; one of your own is declared under services",
      });
    }
    const custom = network.custom.find(({ value }) => value.name === name);
    want(name, custom?.value.secret ?? entry.value);
  }
  for (const entry of policy.environmentCredentials) {
    const { secret, variable } = entry.value;
    const name = serviceOfVariable(variable, services);
    if (name === undefined) {
      throw new RunError(
        "no-credential",
        `no service is known whose credential is in ${variable}`,
        {
          where: await describePlace(entry.origin),
          hint: 'a variable only ever gets a phantom, so the service has to be known: declare it under "services"',
        },
      );
    }
    if (!wanted.has(name)) want(name, secret);
  }
  const hosts = [...new Set(network.allowDomain.map(({ value }) => value.toLowerCase()))];
  const grants = Object.fromEntries([
    ...[...wanted].map(([service, secret]) => [service, { secret }] as const),
    ...hosts.filter((host) => !denied.has(host)).map((host) => [host, { tunnel: 443 }] as const),
  ]);
  const secrets = Object.fromEntries(
    [...wanted.values()].map((name) => [name, declared.secrets[name] ?? { vault: name }]),
  );
  const { plan, faults } = planRun(
    grants,
    { services, secrets },
    { catalogue, ...(network.proxyPort === undefined ? {} : { proxy: network.proxyPort.value }) },
  );
  if (plan === undefined) {
    const [fault] = faults;
    const message = fault?.message ?? "the network can't be planned";
    throw new RunError("clash", message, fault?.hint === undefined ? {} : { hint: fault.hint });
  }
  return {
    plan: {
      ...plan,
      grants: plan.grants.flatMap((grant) => {
        const left = grant.hosts.filter(({ name }) => !denied.has(name));
        return left.length === 0 ? [] : [{ ...grant, hosts: left }];
      }),
    },
    secrets: plan.secrets.map(({ name, source }) => ({
      name,
      source: loaded === undefined ? source : resolveSource(source, dirname(loaded.file)),
    })),
    mintCas: loaded === undefined ? {} : readMintCas(loaded, plan.minted),
  };
}

/** The declaration of the configuration folder, if there is one. */
function ownDeclaration(env: Readonly<Record<string, string | undefined>>): Declared {
  const config = env["XDG_CONFIG_HOME"] ?? join(env["HOME"] ?? "/", ".config");
  const files = [
    join(config, "seawall", "seawall.json5"),
    ...(process.getuid?.() === 0 ? ["/etc/seawall/seawall.json5"] : []),
  ];
  const file = files.find((each) => existsSync(each));
  if (file === undefined) return { services: {}, secrets: {} };
  const loaded = loadDeclaration(file, env);
  return { ...loaded.declaration, loaded };
}

/** nono's own names for some services of the catalogue. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  gemini: "google-gemini",
  google: "google-gemini",
};

function serviceNamed(name: string, services: Declared["services"]): string | undefined {
  const names = [name, OTHER_NAMES[name] ?? name];
  return names.find((each) => Object.hasOwn(services, each) || catalogue.has(each));
}

function serviceOfVariable(variable: string, services: Declared["services"]): string | undefined {
  const own = Object.entries(services).find(([, service]) => service.variable === variable);
  return own?.[0] ?? [...catalogue.values()].find((service) => service.variable === variable)?.name;
}

function customServices(custom: readonly Entry<CustomCredential>[]): Declared["services"] {
  return Object.fromEntries(
    custom.map(({ value: { name, upstream, place, variable, allow } }) => [
      name,
      {
        hosts: [upstream],
        credential: [place],
        phantom: "phantom-{base64url:40}",
        variable,
        allow: [...allow],
      },
    ]),
  ) as Declared["services"];
}
