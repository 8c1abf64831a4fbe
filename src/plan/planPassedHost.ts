import { isIP } from "node:net";
import {
  closest,
  isHostName,
  type DeclaredGrant,
  type Fault,
  type Path,
} from "../declaration/index.ts";
import { GRANT_OPTIONS, type DraftGrant, type GrantContext } from "./GrantContext.ts";
import type { DialPlan, HostPlan } from "./Plan.ts";
import { planLimits } from "./planLimits.ts";

/** A host by its name, whose bytes pass through: TLS after a look at the server name, or anything by TCP. */
export function planPassedHost(
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
