import { isIP } from "node:net";
import {
  closest,
  isHostName,
  type DeclaredGrant,
  type Fault,
  type Path,
} from "../declaration/index.ts";
import { placeInRegion } from "./placeInRegion.ts";
import { planContent } from "./planContent.ts";
import { planDial } from "./planDial.ts";
import { planLimits } from "./planLimits.ts";
import {
  allRules,
  checkEffect,
  OWN_RULES,
  planRules,
  type PlannedRule,
  type RuleScope,
} from "./planRules.ts";
import type {
  ChannelPlan,
  DialPlan,
  GrantPlan,
  HostPlan,
  InjectGrant,
  MintedSecret,
} from "./Plan.ts";
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
  /** Those that the broker has made. */
  readonly mints: ReadonlyMap<string, MintedSecret>;
  readonly faults: Fault[];
}

/** Keys of grants that only some services that are code know. */
const GRANT_OPTIONS = ["to", "from", "allowHosts", "seconds", "pageBytes"] as const;
/** Keys that say something about calls by method and path. */
const CALL_KEYS = ["url", "allow", "ask", "deny", "content"] as const;

/** Resolves one grant; nothing comes back, and faults are pushed, when it can't be. */
export function planGrant(
  name: string,
  declared: DeclaredGrant,
  path: Path,
  context: GrantContext,
): DraftGrant[] {
  const service = context.services.get(name);
  const dial = planDial(declared, path, context.secrets, context.faults);
  if (context.mints.has(dial.dial?.clientCertificate ?? "")) {
    context.faults.push({
      code: "invalid",
      path: [...path, "dial", "clientCertificate"],
      message: "a client certificate can't be a secret that is made",
      hint: "name one that a store holds",
    });
  }
  if (service !== undefined) return planService(service, declared, path, context, dial);
  return planHost(name, declared, path, context, dial);
}

function planService(
  known: KnownService,
  asDeclared: DeclaredGrant,
  path: Path,
  { secrets, mints, faults }: GrantContext,
  dial: { readonly dial?: DialPlan },
): DraftGrant[] {
  const { service, declared } = placeInRegion(known, asDeclared, path, faults);
  if (service.entry !== undefined && mints.has(declared.secret ?? "")) {
    faults.push({
      code: "invalid",
      path: [...path, "secret"],
      message: `"${service.name}" takes an access key, which is never made`,
      hint: "name a secret that a store holds",
    });
  }
  const { name, places, variable, provider, channel, plugin, challenge, usage } = service;
  checkServiceKeys(service, declared, path, secrets, faults);
  if (service.program !== undefined)
    return planProgram(service, service.program, { declared, path, faults, ...dial });
  const hosts = planHosts(service, declared, path, faults);
  const git = gitHost(service, hosts)?.name;
  const uncounted =
    usage === undefined ? `nothing is known of how "${name}" counts tokens` : undefined;
  const grant: InjectGrant = {
    kind: "inject",
    name,
    service: name,
    hosts,
    secret: declared.secret ?? "",
    phantom: service.phantom,
    places,
    ...planGrantRules(service, declared, { hosts, places, git }, path, faults),
    ...(challenge === undefined ? {} : { challenge }),
    ...planLimits(declared.limits, path, uncounted, faults),
    ...planContent(service, declared, path, faults),
    ...(usage === undefined ? {} : { usage }),
    ...planGit(service, hosts),
    ...planLogin(service, hosts),
    ...(service.command === undefined ? {} : { command: service.command }),
    ...dial,
  };
  if (service.entry !== undefined && [...grant.rules, ...(grant.ask ?? [])].length === 0) {
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `grant "${name}" allows no call`,
      hint: 'say which, as allow: [{ s3: "reports", access: "read" }] or allow: ["POST /"]',
    });
  }
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

function checkServiceKeys(
  { name, channel, keyless, program, login }: KnownService,
  declared: DeclaredGrant,
  path: Path,
  secrets: ReadonlySet<string>,
  faults: Fault[],
): void {
  for (const key of ["tunnel", "tcp"] as const) {
    if (declared[key] === undefined) continue;
    faults.push({
      code: "invalid",
      path: [...path, key],
      atKey: true,
      message: `"${name}" is a service with a credential, so it can't be passed through unopened`,
      hint: `remove ${key}, or grant the host by its name`,
    });
  }
  for (const key of login === undefined ? [] : CALL_KEYS) {
    if (declared[key] === undefined) continue;
    faults.push({
      code: "no-effect",
      path: [...path, key],
      atKey: true,
      message: `"${name}" makes no calls by method and path, so "${key}" could have no effect`,
      hint: "remove it",
    });
  }
  for (const key of GRANT_OPTIONS) {
    if (declared[key] === undefined || program?.options.includes(key) === true) continue;
    faults.push({
      code: "no-effect",
      path: [...path, key],
      atKey: true,
      message: `"${key}" means nothing to "${name}"`,
      hint: "remove it",
    });
  }
  if (keyless || program !== undefined) {
    if (declared.secret !== undefined)
      faults.push({
        code: "no-effect",
        path: [...path, "secret"],
        atKey: true,
        message: `"${name}" takes no credential, so "secret" could have no effect`,
        hint: "remove it, or declare a service of your own that takes one",
      });
  } else if (declared.secret === undefined) {
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
  if (declared.allowFrom !== undefined && channel === undefined) {
    faults.push({
      code: "invalid",
      path: [...path, "allowFrom"],
      atKey: true,
      message: `"${name}" is not a channel, so it has no senders`,
      hint: "remove allowFrom",
    });
  }
}

/** A service that is code: nothing of it is on a network, so nothing about calls could have an effect. */
function planProgram(
  { name, command }: KnownService,
  { options, needs = [], dial: dials = [] }: NonNullable<KnownService["program"]>,
  context: {
    readonly declared: DeclaredGrant;
    readonly path: Path;
    readonly faults: Fault[];
    readonly dial?: DialPlan;
  },
): DraftGrant[] {
  const { declared, path, faults, dial } = context;
  const idle = (at: readonly string[], what: string): void => {
    faults.push({
      code: "no-effect",
      path: [...path, ...at],
      atKey: true,
      message: what,
      hint: "remove it",
    });
  };
  for (const key of [...CALL_KEYS, "server", "dial"] as const) {
    if (declared[key] === undefined || (key === "dial" && dials.length > 0)) continue;
    idle([key], `"${name}" makes no calls by method and path, so "${key}" could have no effect`);
  }
  for (const key of Object.keys(dials.length > 0 ? (declared.dial ?? {}) : {}))
    if (!dials.some((each) => each === key))
      idle(["dial", key], `"${key}" means nothing to "${name}"`);
  const limits = planLimits(declared.limits, path, `"${name}" counts no tokens`, faults);
  if (command === undefined) return [];
  const said = options.flatMap((key) => {
    const value = declared[key];
    const sorted = Array.isArray(value) ? [...new Set(value)].toSorted() : value;
    return sorted === undefined ? [] : [[key, sorted] as const];
  });
  for (const key of needs) {
    if (declared[key] !== undefined) continue;
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `grant "${name}" says no "${key}", so it would allow nothing`,
      hint: `add ${key}: ["*.example.org"]; docs/${name}.md says what it means`,
    });
  }

  return [
    {
      grant: {
        kind: "program",
        name,
        service: name,
        hosts: [],
        command,
        options: Object.fromEntries(said),
        ...limits,
        ...(dial === undefined ? {} : { dial }),
      },
    },
  ];
}

/**
 * The service's own rules, or the grant's instead; what the service denies is denied whatever a grant
 * says. Before a question can be put, the client must be able to look (at a repository's refs).
 */
function planGrantRules(
  service: KnownService,
  declared: DeclaredGrant,
  scope: RuleScope,
  path: Path,
  faults: Fault[],
): Pick<InjectGrant, "rules" | "ask" | "deny" | "anonymous"> {
  // Instead of the service's own list, or beside it.
  const own = declared.allow?.includes(OWN_RULES) ?? true;
  const rules = (key: "allow" | "ask" | "deny"): PlannedRule[] => {
    const use = key === "allow" ? "allow" : "forbid";
    return planRules(declared[key] ?? [], use, scope, [...path, key], faults);
  };
  const [allow, ask, deny] = [rules("allow"), rules("ask"), rules("deny")];
  checkEffect([...allow, ...ask], deny, scope.places, faults);
  const asked = ask.flatMap((each) => each.rules);
  const denied = [...service.deny, ...allRules(deny)];
  return {
    rules: [
      ...(own ? service.rules : []),
      ...allRules(allow),
      ...ask.flatMap(({ before }) => before),
    ],
    ...(asked.length === 0 ? {} : { ask: asked }),
    ...(denied.length === 0 ? {} : { deny: denied }),
    // Rules of the grant's own narrow what may be called, without a credential too.
    anonymous: service.keyless
      ? [...(own ? service.rules : []), ...allRules(allow)]
      : own
        ? service.anonymous
        : [],
  };
}

/** Where everybody runs their own, git is there too. */
export function gitHost({ git }: KnownService, hosts: readonly HostPlan[]): HostPlan | undefined {
  return hosts.find(({ name }) => name === git) ?? (git === undefined ? undefined : hosts[0]);
}

function planGit(service: KnownService, hosts: readonly HostPlan[]): Pick<InjectGrant, "git"> {
  const host = gitHost(service, hosts);
  const basic = service.places.some((place) => place.in === "basic");
  if (host === undefined || host.scheme === "tcp" || !basic) return {};
  const usual = host.port === (host.scheme === "https" ? 443 : 80);
  const name = isIP(host.name) === 6 ? `[${host.name}]` : host.name;
  return { git: `${host.scheme}://${name}${usual ? "" : `:${host.port}`}` };
}

/** A service is at the hosts that the catalogue knows, or where the grant says. */
function planHosts(
  { name, hosts, ownHost, login }: KnownService,
  { url, server }: DeclaredGrant,
  path: Path,
  faults: Fault[],
): readonly HostPlan[] {
  if (login !== undefined) return planServer(name, login, server, path, faults);
  if (server !== undefined) {
    faults.push({
      code: "no-effect",
      path: [...path, "server"],
      atKey: true,
      message: `"${name}" is reached by HTTP, so "server" could have no effect`,
      hint: "remove it, or say where it is by url",
    });
  }
  if (ownHost && url !== undefined) return parseOrigin(url, [...path, "url"], faults);
  if (ownHost && hosts.length === 0) {
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `grant "${name}" doesn't say where the service is`,
      hint: 'add its origin, as url: "https://chat.example.com"',
    });
  } else if (url !== undefined && !ownHost) {
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

/** Ports at which TLS comes first (RFC 8314 section 3). */
const TLS_FIRST: readonly number[] = [993, 465];

function planLogin(
  { login }: KnownService,
  [host]: readonly HostPlan[],
): Pick<InjectGrant, "login"> {
  if (login === undefined) return {};
  const tls = TLS_FIRST.includes(host?.port ?? 0) ? "first" : "later";
  return { login: { protocol: login, tls } };
}

const LOGIN_PORTS = { imap: 993, smtp: 465, postgres: 5432 } as const;

/** Where a service is that is not reached by HTTP: a name or an address, and its port unless that is the usual one. */
function planServer(
  name: string,
  login: keyof typeof LOGIN_PORTS,
  server: string | undefined,
  path: Path,
  faults: Fault[],
): readonly HostPlan[] {
  const [, bracketed, bare = "", port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(server ?? "") ?? [];
  const host = (bracketed ?? bare).toLowerCase();
  const number = Number(port ?? LOGIN_PORTS[login]);
  if (host !== "" && number > 0 && number < 65_536 && (isIP(host) !== 0 || isHostName(host)))
    return [{ name: host, port: number, scheme: "tcp" }];
  faults.push({
    code: server === undefined ? "missing" : "invalid",
    path: server === undefined ? path : [...path, "server"],
    atKey: server === undefined,
    message:
      server === undefined
        ? `grant "${name}" doesn't say where the server is`
        : "this is not the name and port of a server",
    hint: `write it as server: "${name}.example.com:${LOGIN_PORTS[login]}"`,
  });
  return [];
}

/** A host by its name, whose bytes pass through: TLS after a look at the server name, or anything by TCP. */
function planHost(
  name: string,
  declared: DeclaredGrant,
  path: Path,
  { services, faults }: GrantContext,
  dial: { readonly dial?: DialPlan },
): DraftGrant[] {
  const { tunnel, tcp } = declared;
  // A server name is never an address (RFC 6066 section 3), but for TCP there is nothing else to go by.
  const literal = isIP(name) !== 0 && tcp !== undefined && tunnel === undefined;
  if (!literal && (!name.includes(".") || !isHostName(name) || isIP(name) !== 0)) {
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
  if ((tunnel === undefined) === (tcp === undefined)) {
    faults.push({
      code: tunnel === undefined ? "missing" : "invalid",
      path,
      atKey: true,
      message:
        tunnel === undefined
          ? `the grant of host "${name}" doesn't say how it is reached`
          : `host "${name}" is either a tunnel or TCP, not both`,
      hint: 'pass TLS through with tunnel: 443, anything else with tcp: 993, or declare it under "services" if it needs a credential',
    });
    return [];
  }
  for (const key of [
    "secret",
    "url",
    "server",
    "allow",
    "ask",
    "deny",
    "content",
    "aws",
    "allowFrom",
    ...GRANT_OPTIONS,
  ] as const) {
    if (declared[key] === undefined) continue;
    faults.push({
      code: "invalid",
      path: [...path, key],
      atKey: true,
      message: `${tunnel === undefined ? "TCP" : "a tunnel"} is passed through unopened, so "${key}" could have no effect`,
      hint: `remove it, or declare the host under "services"`,
    });
  }
  checkTunnelDial(declared, path, faults);
  const more = {
    ...planLimits(declared.limits, path, "bytes that pass through can't be looked at", faults),
    ...dial,
  };
  if (tunnel !== undefined) {
    const hosts: HostPlan[] = [{ name, port: tunnel, scheme: "https" }];
    return [{ grant: { kind: "tunnel", name, hosts, ...more } }];
  }
  const ports = typeof tcp === "number" ? [tcp] : (tcp ?? []);
  const hosts = [...new Set(ports)]
    .toSorted((a, b) => a - b)
    .map((port): HostPlan => ({ name, port, scheme: "tcp" }));
  return [{ grant: { kind: "tcp", name, hosts, ...more } }];
}

/** Trust and certificates are between the bot and the host where the broker doesn't end TLS. */
function checkTunnelDial({ dial }: DeclaredGrant, path: Path, faults: Fault[]): void {
  for (const key of ["ca", "clientCertificate"] as const) {
    if (dial?.[key] === undefined) continue;
    faults.push({
      code: "no-effect",
      path: [...path, "dial", key],
      atKey: true,
      message: `what is passed through is encrypted by the bot, so "${key}" could have no effect`,
      hint: 'remove it, or declare the host under "services"',
    });
  }
}

function senders({ allowFrom }: DeclaredGrant): string[] {
  return [...new Set((allowFrom ?? []).map(String))].toSorted();
}

function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name}"`;
}
