import { isIP } from "node:net";
import { isHostName, type DeclaredGrant, type Fault, type Path } from "../declaration/index.ts";
import type { HostPlan, InjectGrant } from "./Plan.ts";
import { parseOrigin, type KnownService } from "./resolveServices.ts";

/** A service is at the hosts that the catalogue knows, or where the grant says. */
export function planHosts(
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

/** Ports at which TLS comes first (RFC 8314 section 3). */
const TLS_FIRST: readonly number[] = [993, 465];

/** How the login at such a server begins. */
export function planLogin(
  { login }: KnownService,
  [host]: readonly HostPlan[],
): Pick<InjectGrant, "login"> {
  if (login === undefined) return {};
  const tls = TLS_FIRST.includes(host?.port ?? 0) ? "first" : "later";
  return { login: { protocol: login, tls } };
}
