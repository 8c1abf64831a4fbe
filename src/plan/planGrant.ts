import { isIP } from "node:net";
import {
  closest,
  isHostName,
  type DeclaredGrant,
  type Fault,
  type Path,
} from "../declaration/index.ts";
import { parseRule } from "./parseRule.ts";
import type { ChannelPlan, DialPlan, GrantPlan, HostPlan, InjectGrant } from "./Plan.ts";
import { parseOrigin, type KnownService } from "./resolveServices.ts";

/** A grant whose hosts have no addresses yet, and what it brings to its bot. */
export interface DraftGrant {
  readonly grant: GrantPlan;
  readonly variable?: string;
  readonly provider?: string;
  readonly channel?: ChannelPlan;
  /** OpenClaw's plugin that the channel needs. */
  readonly plugin?: string;
}

export interface GrantContext {
  readonly services: ReadonlyMap<string, KnownService>;
  /** Names of the declared secrets. */
  readonly secrets: ReadonlySet<string>;
  readonly faults: Fault[];
}

/** Resolves one grant; nothing comes back, and faults are pushed, when it can't be. */
export function planGrant(
  name: string,
  declared: DeclaredGrant,
  path: Path,
  context: GrantContext,
): DraftGrant[] {
  const service = context.services.get(name);
  const dial = planDial(declared, path, context.faults);
  if (service !== undefined) return planService(service, declared, path, context, dial);
  return planTunnel(name, declared, path, context, dial);
}

function planService(
  service: KnownService,
  declared: DeclaredGrant,
  path: Path,
  { secrets, faults }: GrantContext,
  dial: { readonly dial?: DialPlan },
): DraftGrant[] {
  const { name } = service;
  if (declared.tunnel !== undefined) {
    faults.push({
      code: "invalid",
      path: [...path, "tunnel"],
      atKey: true,
      message: `"${name}" is a service with a credential, so it can't be passed through unopened`,
      hint: "remove tunnel, or grant the host by its name",
    });
  }
  if (declared.secret === undefined) {
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `grant "${name}" names no secret`,
      hint: `add secret: "${name}" and declare it under "secrets"`,
    });
  } else if (!secrets.has(declared.secret)) {
    faults.push({
      code: "unknown-secret",
      path: [...path, "secret"],
      message: `grant "${name}" needs secret "${declared.secret}", which no store declares`,
      hint: `add it under "secrets", as ${quoteName(declared.secret)}: { vault: "${declared.secret}" }`,
    });
  }
  if (declared.allowFrom !== undefined && service.channel === undefined) {
    faults.push({
      code: "invalid",
      path: [...path, "allowFrom"],
      atKey: true,
      message: `"${name}" is not a channel, so it has no senders`,
      hint: "remove allowFrom",
    });
  }
  const rules = declared.allow?.flatMap((r, i) => parseRule(r, [...path, "allow", i], faults));
  const grant: InjectGrant = {
    kind: "inject",
    name,
    service: name,
    hosts: planHosts(service, declared, path, faults),
    secret: declared.secret ?? "",
    phantom: service.phantom,
    places: service.places,
    rules: rules ?? service.rules,
    // Rules of the grant's own narrow what may be called, without a credential too.
    anonymous: rules === undefined ? service.anonymous : [],
    ...dial,
  };
  const { variable, provider, channel, plugin } = service;
  return [
    {
      grant,
      ...(variable === undefined ? {} : { variable }),
      ...(provider === undefined ? {} : { provider }),
      ...(plugin === undefined ? {} : { plugin }),
      ...(channel === undefined || variable === undefined
        ? {}
        : {
            channel: {
              channel,
              variable,
              allowFrom: senders(declared),
              ...(declared.url === undefined ? {} : { url: new URL(declared.url).origin }),
            },
          }),
    },
  ];
}

/** A service is at the hosts that the catalogue knows, or where the grant says. */
function planHosts(
  { name, hosts, ownHost }: KnownService,
  { url }: DeclaredGrant,
  path: Path,
  faults: Fault[],
): readonly HostPlan[] {
  if (ownHost && url !== undefined) return parseOrigin(url, [...path, "url"], faults);
  if (ownHost) {
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `grant "${name}" doesn't say where the service is`,
      hint: 'add its origin, as url: "https://chat.example.com"',
    });
  } else if (url !== undefined) {
    faults.push({
      code: "invalid",
      path: [...path, "url"],
      atKey: true,
      message: `"${name}" is always at the same place, so "url" could have no effect`,
      hint: "remove it; where to connect instead stands in dial",
    });
  }
  return hosts;
}

function planTunnel(
  name: string,
  declared: DeclaredGrant,
  path: Path,
  { services, faults }: GrantContext,
  dial: { readonly dial?: DialPlan },
): DraftGrant[] {
  if (!name.includes(".") || !isHostName(name) || isIP(name) !== 0) {
    const guess = closest(name, services.keys());
    faults.push({
      code: "unknown-service",
      path,
      atKey: true,
      message: `there is no service "${name.slice(0, 40)}"`,
      hint:
        guess === undefined
          ? 'declare it under "services", or grant a host by its name: "api.example.com": { tunnel: 443 }'
          : `did you mean "${guess}"?`,
    });
    return [];
  }
  if (declared.tunnel === undefined) {
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `the grant of host "${name}" doesn't say how it is reached`,
      hint: 'pass it through with tunnel: 443, or declare it under "services" if it needs a credential',
    });
    return [];
  }
  for (const key of ["secret", "url", "allow", "allowFrom"] as const) {
    if (declared[key] === undefined) continue;
    faults.push({
      code: "invalid",
      path: [...path, key],
      atKey: true,
      message: `a tunnel is passed through unopened, so "${key}" could have no effect`,
      hint: `remove it, or declare the host under "services"`,
    });
  }
  const host: HostPlan = { name, port: declared.tunnel, scheme: "https" };
  return [{ grant: { kind: "tunnel", name, hosts: [host], ...dial } }];
}

function planDial(
  { dial }: DeclaredGrant,
  path: Path,
  faults: Fault[],
): { readonly dial?: DialPlan } {
  if (dial === undefined) return {};
  const { host, port, ca } = dial;
  if (host !== undefined && isIP(host) === 0 && !isHostName(host)) {
    faults.push({
      code: "invalid",
      path: [...path, "dial", "host"],
      message: "this is neither an address nor a host name",
      hint: 'write it alone, as "10.0.0.5" or "proxy.example.com"; the port has a key of its own',
    });
  }
  return {
    dial: {
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      ...(ca === undefined ? {} : { ca }),
    },
  };
}

function senders({ allowFrom }: DeclaredGrant): string[] {
  return [...new Set((allowFrom ?? []).map(String))].toSorted();
}

function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name}"`;
}
