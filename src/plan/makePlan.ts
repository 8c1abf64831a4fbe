import type { ServiceEntry } from "../catalogue/index.ts";
import type { Declaration, DeclaredBot, Fault } from "../declaration/index.ts";
import { assignAddresses } from "./assignAddresses.ts";
import { clientCommands, type ClientCommand } from "./clientCommands.ts";
import { canonical } from "./canonical.ts";
import { checkAgents } from "./checkAgents.ts";
import type {
  BotPlan,
  GrantPlan,
  InjectGrant,
  JsonObject,
  MintedSecret,
  Plan,
  PhantomVariable,
} from "./Plan.ts";
import type { DraftGrant, GrantContext } from "./GrantContext.ts";
import { planGrant } from "./planGrant.ts";
import { planLimits } from "./planLimits.ts";
import { planMints } from "./planMints.ts";
import { planPorts } from "./planPorts.ts";
import { planResources } from "./planResources.ts";
import { planSecrets } from "./planSecrets.ts";
import { planSurroundings } from "./planSurroundings.ts";
import { resolveServices, type KnownService } from "./resolveServices.ts";
import { withCommand } from "./withCommand.ts";
import { withSecondTokens } from "./withSecondTokens.ts";

/** What a declaration is resolved against. */
export interface PlanContext {
  readonly catalogue: ReadonlyMap<string, ServiceEntry>;
  /** Versions of OpenClaw that have a pin. */
  readonly versions: readonly string[];
}

/**
 * Resolves a declaration. Pure: the same declaration gives the same plan on any machine and in any
 * key order (invariant 7). All faults are reported; the plan is there only when there are none.
 */
export function makePlan(
  declaration: Declaration,
  context: PlanContext,
): { readonly plan?: Plan; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const services = resolveServices(declaration.services, context.catalogue, faults);
  const mints = planMints(declaration.secrets, faults);
  const bots = sortedEntries(declaration.bots).map(([name, bot]) =>
    planBot(name, bot, { declaration, services, mints, context, faults }),
  );
  faults.push(...portClashes(bots), ...domainClashes(bots), ...bridgeFaults(bots));
  const surroundings = planSurroundings(declaration, bots, services, faults);
  const secrets = planSecrets(declaration.secrets, mints, bots, faults);
  if (faults.length > 0) return { faults };
  return { plan: { version: 1, ...secrets, bots, ...surroundings }, faults };
}

interface BotContext {
  readonly declaration: Declaration;
  readonly services: ReadonlyMap<string, KnownService>;
  readonly mints: ReadonlyMap<string, MintedSecret>;
  readonly context: PlanContext;
  readonly faults: Fault[];
}

const BOT_NAME = /^[a-z](?:[a-z0-9-]{0,22}[a-z0-9])?$/;

function planBot(name: string, bot: DeclaredBot, at: BotContext): BotPlan {
  const path = ["bots", name];
  const { faults } = at;
  if (!BOT_NAME.test(name)) {
    faults.push({
      code: "invalid",
      path,
      atKey: true,
      message: "this can't be a bot's name",
      hint: "use lower-case letters, digits and hyphens, at most 24, starting with a letter",
    });
  }
  if (!at.context.versions.includes(bot.openclaw)) {
    faults.push({
      code: "unknown-version",
      path: [...path, "openclaw"],
      message: `OpenClaw ${bot.openclaw} is not pinned`,
      hint: `pinned: ${at.context.versions.join(", ") || "none"}; pin it with: seawall pin ${bot.openclaw}`,
    });
  }
  const grantContext: GrantContext = {
    services: at.services,
    secrets: new Set(Object.keys(at.declaration.secrets)),
    mints: at.mints,
    faults,
  };
  const { drafts: all, grants: granted, environment } = planDrafts(bot.grants, path, grantContext);
  const drafts = withSecondTokens(all, at.services, path, faults);
  const wanted = new Set(bot.exec?.allow);
  const grants = granted.map((grant) => withCommand(grant, wanted));
  const clients = checkCommands(clientCommands({ grants }), path, faults);
  checkModel(bot, drafts, path, faults);
  checkAgents(bot, at.declaration, path, faults);
  return {
    name,
    user: `seawall-${name}`,
    openclaw: {
      version: bot.openclaw,
      model: bot.model,
      plugins: [
        ...new Set([...bot.plugins, ...drafts.flatMap(({ plugin }) => plugin ?? [])]),
      ].toSorted(),
      channels: drafts
        .flatMap(({ channel }) => channel ?? [])
        .toSorted((a, b) => compare(a.channel, b.channel)),
      tools: [...new Set(bot.tools?.allow)].toSorted(),
      settings: canonical(bot.settings) as JsonObject,
      ...(bot.agents === undefined ? {} : { agents: true as const }),
      ...(bot.agents?.tools === undefined || bot.agents.tools === "bot"
        ? {}
        : { agentTools: bot.agents.tools }),
      ...(bot.agents?.podman === undefined ? {} : { agentImage: bot.agents.podman.image }),
    },
    commands: [...wanted].filter((each) => !clients.has(each)).toSorted(),
    grants,
    ports: planPorts(bot, grants, path, faults),
    environment,
    concessions: [...new Set(bot.concessions)].toSorted(),
    ingress: { port: bot.port, controlPage: bot.controlPage },
    ...planExpose(bot.expose, path, faults),
    ...(bot.proxy === undefined ? {} : { proxyPort: bot.proxy }),
    ...(bot.unknownHosts === undefined ? {} : { unknownHosts: bot.unknownHosts }),
    ...planLimits(bot.limits, path, uncounted(grants), faults),
    ...planResources(bot.limits),
  };
}

/** One way in from outside, or none. */
function planExpose(
  expose: DeclaredBot["expose"],
  path: readonly string[],
  faults: Fault[],
): Pick<BotPlan, "expose"> {
  if (expose === undefined) return {};
  const { domain, tailscale } = expose;
  if (domain !== undefined && tailscale === undefined) return { expose: { domain } };
  if (tailscale === true && domain === undefined) return { expose: { tailscale } };
  faults.push({
    code: domain === undefined ? "missing" : "invalid",
    path: [...path, "expose"],
    message:
      domain === undefined
        ? "this names no way in"
        : "a bot has either a domain or Tailscale, not both",
    hint: 'say domain: "bots.example.com" for everybody, or tailscale: true for your tailnet alone',
  });
  return {};
}

/** The grants themselves, with their addresses, and the variables that phantoms go into. */
export function planDrafts(
  granted: DeclaredBot["grants"],
  path: readonly string[],
  context: GrantContext,
): {
  readonly drafts: readonly DraftGrant[];
  readonly grants: readonly GrantPlan[];
  readonly environment: readonly PhantomVariable[];
} {
  const drafts = sortedEntries(granted).flatMap(([grant, declared]) =>
    planGrant(grant, declared, [...path, "grants", grant], context),
  );
  checkClashes(drafts, path, context.faults);
  checkKeys(drafts, path, context.faults);
  const environment = drafts
    .flatMap<PhantomVariable>(({ grant, variable }) =>
      variable === undefined ? [] : [{ variable, grant: grant.name }],
    )
    .filter(({ variable }, at, all) => all.findIndex((each) => each.variable === variable) === at)
    .toSorted((a, b) => compare(a.variable, b.variable));
  return { drafts, grants: withAddresses(drafts), environment };
}

/** Why a bot's tokens can't be counted, if so. */
function uncounted(grants: readonly GrantPlan[]): string | undefined {
  const counted = grants.some((grant) => grant.kind === "inject" && grant.usage !== undefined);
  return counted ? undefined : "no grant of this bot has a service that counts them";
}

function withAddresses(drafts: readonly DraftGrant[]): GrantPlan[] {
  const addresses = assignAddresses(drafts.flatMap(({ grant }) => grant.hosts.map((h) => h.name)));
  return drafts.map(({ grant }) => ({
    ...grant,
    hosts: grant.hosts.map((host) => ({ ...host, ...addresses.get(host.name) })),
  }));
}

/** A model that no grant answers could never be reached; better said now than by a silent bot. */
function checkModel(
  bot: DeclaredBot,
  drafts: readonly DraftGrant[],
  path: readonly string[],
  faults: Fault[],
): void {
  const provider = bot.model.split("/", 1).join("");
  if (drafts.some((draft) => draft.provider === provider)) return;
  if (providesModels(bot.settings, provider)) return;
  faults.push({
    code: "no-model-grant",
    path: [...path, "model"],
    message: `no grant of this bot answers for models of "${provider}"`,
    hint: `grant the service that does (seawall service list), or describe the provider in settings.models.providers`,
  });
}

function providesModels(settings: unknown, provider: string): boolean {
  let value = settings;
  for (const key of ["models", "providers", provider]) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return true;
}

/**
 * Two grants for one address can be told apart only by their phantoms, as those of one service's two
 * tokens; two phantoms in one variable can't be.
 */
function checkClashes(
  drafts: readonly DraftGrant[],
  path: readonly string[],
  faults: Fault[],
): void {
  const hosts = new Map<string, { readonly grant: GrantPlan; readonly scheme: string }>();
  const variables = new Map<string, string>();
  for (const { grant, variable } of drafts) {
    const at = [...path, "grants", grant.name];
    for (const { name, port, scheme } of grant.hosts) {
      const key = `${name}:${port}`;
      const other = hosts.get(key);
      const apart =
        other?.grant.kind === "inject" && grant.kind === "inject" && other.scheme === scheme;
      if (other !== undefined && !apart) {
        faults.push({
          code: "host-clash",
          path: at,
          atKey: true,
          message: `grants "${other.grant.name}" and "${grant.name}" both stand for ${key}`,
          hint: "keep one of them",
        });
      }
      hosts.set(key, { grant, scheme });
    }
    if (variable === undefined) continue;
    const other = variables.get(variable);
    const sharesKey =
      signs(grant) && signs(drafts.find((each) => each.grant.name === other)?.grant);
    if (other !== undefined && !sharesKey) {
      faults.push({
        code: "host-clash",
        path: at,
        atKey: true,
        message: `grants "${other}" and "${grant.name}" both set ${variable}`,
        hint: "give one of the services another variable",
      });
    }
    variables.set(variable, grant.name);
  }
}

/** The names of a bot's client commands, of which two can't be the same: one would be the other's. */
function checkCommands(
  commands: readonly ClientCommand[],
  path: readonly string[],
  faults: Fault[],
): ReadonlySet<string> {
  const owners = new Map<string, string>();
  for (const { grant, command } of commands) {
    const other = owners.get(command.name);
    if (other !== undefined)
      faults.push({
        code: "invalid",
        path: [...path, "grants", grant],
        atKey: true,
        message: `grants "${other}" and "${grant}" both bring the command "${command.name}"`,
        hint: "give the service of one of them another name",
      });
    owners.set(command.name, grant);
  }
  return new Set(owners.keys());
}

/** A bot's clients of AWS read one key, so all its grants that are signed have it in common, and its phantom. */
function checkKeys(drafts: readonly DraftGrant[], path: readonly string[], faults: Fault[]): void {
  const [first, ...others] = drafts.flatMap(({ grant }) => (signs(grant) ? [grant] : []));
  for (const { name, secret } of others) {
    if (first === undefined || secret === first.secret) continue;
    faults.push({
      code: "invalid",
      path: [...path, "grants", name],
      atKey: true,
      message: `grants "${first.name}" and "${name}" sign with two keys, of which a bot's clients read only one`,
      hint: "name the same secret in both",
    });
  }
}

function signs(grant: GrantPlan | undefined): grant is InjectGrant {
  return grant?.kind === "inject" && grant.places.some((place) => place.in === "sigv4");
}

function portClashes(bots: readonly BotPlan[]): Fault[] {
  const owners = new Map<number, string>();
  const next = Math.max(...bots.map(({ ingress }) => ingress.port)) + 1;
  return bots.flatMap(({ name, ingress: { port } }) => {
    const owner = owners.get(port);
    if (owner === undefined) {
      owners.set(port, name);
      return [];
    }
    return [
      {
        code: "port-taken" as const,
        path: ["bots", name, "port"],
        atKey: true,
        message: `bots "${owner}" and "${name}" both want port ${port}`,
        hint: `give "${name}" a port of its own, as port: ${next}`,
      },
    ];
  });
}

function domainClashes(bots: readonly BotPlan[]): Fault[] {
  const owners = new Map<string, string>();
  return bots.flatMap(({ name, expose }) => {
    const domain = expose?.domain;
    if (domain === undefined) return [];
    const owner = owners.get(domain);
    if (owner === undefined) {
      owners.set(domain, name);
      return [];
    }
    return [
      {
        code: "host-clash" as const,
        path: ["bots", name, "expose", "domain"],
        message: `bots "${owner}" and "${name}" both want the domain ${domain}`,
        hint: `give "${name}" a name of its own, as ${name}.${domain}`,
      },
    ];
  });
}

/** A message to a bot that isn't there, or has no bridge to read it by, would never be read. */
function bridgeFaults(bots: readonly BotPlan[]): Fault[] {
  const bridges = new Map(
    bots.flatMap(({ name, grants }) =>
      grants.flatMap((grant) =>
        grant.kind === "program" && grant.service === "bridge" ? [[name, grant] as const] : [],
      ),
    ),
  );
  return [...bridges].flatMap(([name, { name: grant, options }]) =>
    (["to", "from"] as const).flatMap((key) => {
      const named = options[key];
      if (!Array.isArray(named)) return [];
      return named.map(String).flatMap((other): Fault[] => {
        if (other !== name && bridges.has(other)) return [];
        const there = bots.some((each) => each.name === other);
        const known = there ? `bot "${other}" has no bridge` : `there is no bot "${other}"`;
        return [
          {
            code: "invalid",
            path: ["bots", name, "grants", grant, key],
            message: other === name ? "a bot needs no bridge to itself" : known,
            hint: there && other !== name ? "grant it the bridge too: bridge: {}" : "remove it",
          },
        ];
      });
    }),
  );
}

function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).toSorted(([a], [b]) => compare(a, b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
