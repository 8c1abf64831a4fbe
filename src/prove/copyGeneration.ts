import type { Generation } from "../host/index.ts";
import type { BotPlan, GrantPlan, Plan } from "../plan/index.ts";
import type { Services } from "./range/standIns.ts";

/** Name of the bot beside the attacked one; another if that one has it. */
export function neighbourName(bot: string): string {
  return bot === "neighbour" ? "neighbour-2" : "neighbour";
}

/** How long a call waits for an owner who isn't there. */
const NO_WAIT_MINUTES = 0.01;

/**
 * The generation as it is prepared, for a copy beside what runs. What is allowed stays word for
 * word. Changed is what must not be shared, or would reach something real: calls go to stand-ins,
 * secrets are markers in a vault of the copy's own, ports on the host are free ones. Left out are
 * limits on calls, so that no attack is held by one that came before it. A neighbour with the same
 * grants is added, and the first of the bots that it may write to, with the bridge alone.
 *
 * @param options.port a port of the host's own that is free, another each time.
 */
export async function copyGeneration(
  prepared: Omit<Generation, "number">,
  options: {
    readonly bot: string;
    readonly services: Services;
    readonly ca: string;
    readonly port: () => Promise<number>;
  },
): Promise<Generation> {
  const { services, ca, port } = options;
  const found = prepared.plan.bots.find(({ name }) => name === options.bot);
  const bot = prepared.bots[options.bot];
  if (found === undefined || bot === undefined) throw new Error("no such bot");
  const neighbour = neighbourName(found.name);
  const copy = async (name: string, grants: readonly GrantPlan[]): Promise<BotPlan> => {
    const { limits: _, ...rest } = found;
    return {
      ...rest,
      name,
      grants: grants.map((grant) => redirect(grant, services)),
      ingress: { ...found.ingress, port: await port() },
    };
  };
  const bots = [await copy(found.name, found.grants), await copy(neighbour, found.grants)];
  const recipient = bridgeRecipient(found);
  if (recipient !== undefined && recipient.name !== neighbour)
    bots.push(await copy(recipient.name, [recipient.grant]));
  const { secrets } = prepared.plan;
  const plan: Plan = {
    version: prepared.plan.version,
    secrets: secrets.map(({ name }) => ({ name, source: { store: "vault", key: name } })),
    bots,
    approvals: { notify: [], waitMinutes: NO_WAIT_MINUTES },
  };
  const cas = Object.fromEntries(found.grants.map(({ name }) => [name, ca]));
  const copied = { ...bot, cas };
  return {
    ...prepared,
    number: 1,
    plan,
    bots: Object.fromEntries(bots.map(({ name }) => [name, copied])),
  };
}

/** Whom it may write to, with the grant that takes its messages. */
function bridgeRecipient({
  grants,
}: BotPlan): { readonly name: string; readonly grant: GrantPlan } | undefined {
  const grant = grants.find((each) => each.kind === "program" && each.service === "bridge");
  if (grant?.kind !== "program") return undefined;
  const to = grant.options["to"];
  const [name] = Array.isArray(to) ? to.map(String) : [];
  return name === undefined ? undefined : { name, grant: { ...grant, options: {} } };
}

function redirect(grant: GrantPlan, services: Services): GrantPlan {
  const { limits: _, ...rest } = grant;
  // A program of ours, which dials by itself and is attacked as it is.
  if (rest.kind === "program") return rest;
  const port = {
    https: services.https,
    http: services.http,
    tcp: services.tcp,
  }[grant.hosts[0]?.scheme ?? "https"];
  return { ...rest, dial: { host: "127.0.0.1", port } };
}
