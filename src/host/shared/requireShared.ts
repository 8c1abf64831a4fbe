import { clientCommands, type BotPlan, type GrantPlan } from "../../plan/index.ts";
import { HostError } from "../HostError.ts";

/**
 * Refuses what a bot without namespaces of its own can't be given: it has HTTP by the broker's proxy
 * and no other way out, no Unix socket, and no name server.
 *
 * @throws HostError `needs-namespaces` with everything that would have to go.
 */
export function requireShared(plan: BotPlan): void {
  const lacking = [...plan.grants.flatMap(whyNot), ...ownWays(plan)];
  if (lacking.length === 0) return;
  throw new HostError(
    "needs-namespaces",
    `bot "${plan.name}" can't have on this host, without user namespaces: ${lacking.join("; ")}`,
    { hint: "allow user namespaces (see: seawall doctor), or leave these out of the declaration" },
  );
}

function whyNot(grant: GrantPlan): string[] {
  const [client] = clientCommands({ grants: [grant] });
  if (client !== undefined)
    return [`grant "${grant.name}", whose command "${client.command.name}" needs a Unix socket`];
  if (grant.kind === "tcp" || (grant.kind === "inject" && grant.login !== undefined))
    return [`grant "${grant.name}", which isn't HTTP and so doesn't go by a proxy`];
  return [];
}

function ownWays({ openclaw, proxyPort, unknownHosts }: BotPlan): string[] {
  return [
    ...openclaw.plugins.map((name) => `plugin "${name}", which is installed in a wall of its own`),
    ...(proxyPort === undefined ? [] : [`"proxy": ${proxyPort}, a port that other bots may have`]),
    ...(unknownHosts === undefined
      ? []
      : [`"unknownHosts", since hosts are asked about when their name is looked up`]),
    ...(openclaw.agents === undefined ? [] : [`"agents", whose folder is mounted for it`]),
  ];
}
