import { clientCommands, type BotPlan, type Plan } from "../../plan/index.ts";
import { TargetError } from "../TargetError.ts";
import { toldBy } from "./tellUnits.ts";

/** A socket in a bot's network, in the order of its unit; `broker/service` takes them in the same. */
export interface BotSocket {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly family: 4 | 6;
}

const DNS_PORT = 53;

/** DNS over UDP, and TCP on the granted ports, each for both families where the kernel has both. */
export function botSockets(bot: BotPlan, ipv6: boolean): BotSocket[] {
  const families = ipv6 ? ([4, 6] as const) : ([4] as const);
  const ports: (readonly ["tcp" | "udp", number])[] = [
    ["udp", DNS_PORT],
    ...bot.ports.map((port) => ["tcp", port] as const),
  ];
  return ports.flatMap(([protocol, port]) =>
    families.map((family): BotSocket => ({ protocol, port, family })),
  );
}

/**
 * How many descriptors a broker is handed: its bot's sockets, ingress, control, metrics, perhaps commands, and
 * those of other bots' brokers.
 */
export function socketCount(plan: Plan, bot: BotPlan, ipv6: boolean): number {
  return botSockets(bot, ipv6).length + 3 + (hasCommands(bot) ? 1 : 0) + toldBy(plan, bot).length;
}

/** Whether it has client commands, which reach the broker by a socket of their own. */
export function hasCommands(bot: BotPlan): boolean {
  return clientCommands(bot).length > 0;
}

/** Whether it may write to other bots, or be written to. */
export function hasBridge({ grants }: BotPlan): boolean {
  return grants.some((grant) => grant.kind === "program" && grant.service === "bridge");
}

/** Whether it may read pages by a browser. */
export function hasBrowser({ grants }: BotPlan): boolean {
  return grants.some((grant) => grant.kind === "program" && grant.service === "browser-fetch");
}

/**
 * Where a bot's metrics are: on a Unix socket of root's, or on 127.0.0.1, the bots in their order
 * on the declared port and those after it, since each has a broker of its own.
 *
 * @throws TargetError `port-taken`
 */
export function metricsPort(plan: Plan, bot: string): number | undefined {
  const first = plan.telemetry?.metricsPort;
  if (first === undefined) return undefined;
  const port = first + plan.bots.findIndex(({ name }) => name === bot);
  const owner = plan.bots.find(({ ingress }) => ingress.port === port);
  if (owner === undefined && port <= 65_535) return port;
  throw new TargetError(
    "port-taken",
    `the metrics of bot "${bot}" would be on port ${port}, which ${owner === undefined ? "is none" : `is bot "${owner.name}"'s`}`,
    { hint: "choose another telemetry.metricsPort: each bot takes one port, from there on" },
  );
}
