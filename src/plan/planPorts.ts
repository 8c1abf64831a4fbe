import type { DeclaredBot, Fault, Path } from "../declaration/index.ts";
import type { GrantPlan } from "./Plan.ts";

/** Ports inside the wall that are taken already: the broker's DNS, and the gateway itself. */
const TAKEN: ReadonlyMap<number, string> = new Map([
  [53, "the broker's DNS"],
  [18789, "the gateway inside the wall"],
]);

/** TCP ports that the broker listens on inside the wall: of hosts, of the proxy, and for hosts to ask about. */
export function planPorts(
  bot: Partial<Pick<DeclaredBot, "proxy" | "unknownHosts">>,
  grants: readonly GrantPlan[],
  path: Path,
  faults: Fault[],
): number[] {
  const taken = (port: number, at: Path, owner: string): void => {
    faults.push({
      code: "port-taken",
      path: at,
      message: `port ${port} belongs to ${owner}`,
      hint: "choose another one",
    });
  };
  const used = new Map<number, string>();
  for (const { name, hosts, kind } of grants) {
    for (const { port } of hosts) {
      const owner = TAKEN.get(port);
      const at = kind === "inject" ? [] : [kind];
      if (owner !== undefined) taken(port, [...path, "grants", name, ...at], owner);
      used.set(port, `grant "${name}"`);
    }
  }
  // Whoever connects to a host that no grant has speaks TLS there, or could not be told apart.
  if (bot.unknownHosts !== undefined) used.set(443, "hosts to be asked about");
  if (bot.proxy !== undefined) {
    const owner = TAKEN.get(bot.proxy) ?? used.get(bot.proxy);
    if (owner !== undefined) taken(bot.proxy, [...path, "proxy"], owner);
    used.set(bot.proxy, "proxy");
  }
  return [...used.keys()].toSorted((a, b) => a - b);
}
