import type { DeclaredGrant, Fault, Path } from "../declaration/index.ts";
import { checkServiceKeys } from "./checkServiceKeys.ts";
import type { DraftGrant, GrantContext } from "./GrantContext.ts";
import { formatOrigin } from "./formatOrigin.ts";
import { placeInRegion } from "./placeInRegion.ts";
import { planContent } from "./planContent.ts";
import { planDial } from "./planDial.ts";
import { planHosts, planLogin } from "./planHosts.ts";
import { planLimits } from "./planLimits.ts";
import { planPassedHost } from "./planPassedHost.ts";
import { planProgram } from "./planProgram.ts";
import {
  allRules,
  checkEffect,
  OWN_RULES,
  planRules,
  type PlannedRule,
  type RuleScope,
} from "./planRules.ts";
import type { DialPlan, HostPlan, InjectGrant } from "./Plan.ts";
import type { KnownService } from "./resolveServices.ts";

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
  return planPassedHost(name, declared, path, context, dial);
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
  return { git: formatOrigin(host) };
}

function senders({ allowFrom }: DeclaredGrant): string[] {
  return [...new Set((allowFrom ?? []).map(String))].toSorted();
}
