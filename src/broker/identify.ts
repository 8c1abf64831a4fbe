import { isIP } from "node:net";
import { destinationKey } from "./destination.ts";
import type { Bot, Granted } from "./Deployment.ts";
import { isRefusal, refuse, type Refusal } from "./Refusal.ts";

/** Where a bot's connection was meant to go, as its socket says it. */
export interface Arrival {
  readonly bot: string;
  readonly address: string;
  readonly port: number;
  /**
   * At the explicit proxy the bot said it, and there is no address. `plain`: it asked for plain HTTP, in
   * absolute-form.
   */
  readonly named?: { readonly name: string; readonly plain: boolean };
}

/**
 * Names what was dialled. In a bot's namespace every address is local, so the local end of an
 * accepted connection is the address the bot looked up.
 */
export function identify(bot: Bot | undefined, arrival: Arrival): readonly Granted[] | Refusal {
  const { named } = arrival;
  if (named !== undefined) {
    const found = namedHosts(bot, named.name, arrival.port).filter(
      ({ host }) => !named.plain || host.scheme === "http",
    );
    return found.length > 0 ? found : refuse("unknown-address");
  }
  return (
    bot?.destinations.get(destinationKey(arrival.address, arrival.port)) ??
    refuse("unknown-address")
  );
}

function namedHosts(bot: Bot | undefined, name: string, port: number): Granted[] {
  if (bot === undefined) return [];
  return bot.plan.grants.flatMap((grant) =>
    grant.hosts
      .filter((host) => host.name === name && host.port === port)
      .map((host) => ({ bot: bot.name, grant, host })),
  );
}

/**
 * Keeps the hosts that the TLS server name agrees with. An IP literal has no server name
 * (RFC 6066 section 3), so a ClientHello without one reaches only such a host.
 */
export function narrowByServerName(
  candidates: readonly Granted[],
  serverName: string | undefined,
): readonly Granted[] | Refusal {
  if (serverName === undefined) {
    const literals = candidates.filter((granted) => isIP(granted.host.name) !== 0);
    return literals.length > 0 ? literals : refuse("sni-missing");
  }
  const wanted = serverName.toLowerCase();
  const named = candidates.filter((granted) => granted.host.name === wanted);
  return named.length > 0 ? named : refuse("sni-mismatch");
}

/**
 * Keeps the hosts that the Host header agrees with: name and port, the scheme's own port being
 * optional, in any case and perhaps with the dot at the end by which DNS says that a name is whole.
 * Upstream gets its usual form. Names in other scripts must come as A-labels (RFC 9110 section
 * 7.2 allows nothing else), and other spellings of an address or a port name nothing.
 */
export function narrowByHost(
  candidates: readonly Granted[],
  host: string,
): readonly Granted[] | Refusal {
  // Only ASCII: elsewhere the case of letters makes one name of two.
  if (!/^[\x21-\x7e]+$/.test(host)) return refuse("host-mismatch");
  const wanted = host.toLowerCase().replace(/(?<=[a-z][a-z0-9-]*)\.(?=$|:)/, "");
  const named = candidates.filter((granted) => hostHeaders(granted).includes(wanted));
  return named.length > 0 ? named : refuse("host-mismatch");
}

/** What the Host header of a call to this host may be, the usual one first. */
export function hostHeaders({ host }: Granted): readonly [string, ...string[]] {
  const name = isIP(host.name) === 6 ? `[${host.name}]` : host.name;
  const withPort = `${name}:${host.port}`;
  return host.port === (host.scheme === "https" ? 443 : 80) ? [name, withPort] : [withPort];
}

/** `identify`, then by server name for hosts reached by TLS. */
export function identifyTls(
  bot: Bot | undefined,
  arrival: Arrival,
  serverName: string | undefined,
): readonly Granted[] | Refusal {
  const candidates = identify(bot, arrival);
  return isRefusal(candidates) ? candidates : narrowByServerName(candidates, serverName);
}
