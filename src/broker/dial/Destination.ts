import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { Granted } from "../Deployment.ts";
import { classifyAddress, type AddressClass } from "./classifyAddress.ts";
import { isInNetwork } from "./isInNetwork.ts";

/** Where a call really goes, and which addresses the name may turn out to have. */
export interface Destination {
  /** IP literal or name to resolve. */
  readonly host: string;
  readonly port: number;
  readonly allowed: ReadonlySet<AddressClass>;
  /** Networks, as `10.0.0.0/8`, whose private addresses are allowed besides. */
  readonly networks: readonly string[];
}

/** A resolver that gives all addresses of a name; `dns.promises.lookup` but for tests. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** What a refused address makes a connection fail with. */
export class AddressRefusedError extends Error {
  readonly code = "SEAWALL_ADDRESS_REFUSED";
}

const EVERYTHING: readonly AddressClass[] = [
  "public",
  "private",
  "loopback",
  "link-local",
  "metadata",
  "special",
];

/**
 * Where to connect for a granted host. A name of a service must be public; a literal address is
 * what the owner wrote; a name in `dial` is the owner's choice too and may be private, but never
 * a metadata or link-local address, since whoever answers for that name isn't the owner. With
 * `networks` a service's own name may also turn out to be a private address inside them.
 *
 * A secret in plain HTTP stays on private networks: `http` hosts that get one never go further.
 */
export function destinationOf({ grant, host }: Granted): Destination {
  const target = grant.dial?.host ?? host.name;
  const literal = isIP(target) !== 0;
  let allowed: readonly AddressClass[];
  if (literal) allowed = EVERYTHING;
  else if (grant.dial?.host !== undefined) allowed = ["public", "private", "loopback"];
  else allowed = ["public"];
  if (host.scheme === "http")
    allowed = allowed.filter((each) => each === "private" || each === "loopback");
  return {
    host: target,
    port: grant.dial?.port ?? host.port,
    allowed: new Set(allowed),
    networks: grant.dial?.networks ?? [],
  };
}

/** Whether an address may be dialled for a destination. */
export function isAllowed({ allowed, networks }: Destination, address: string): boolean {
  const found = classifyAddress(address);
  if (allowed.has(found)) return true;
  // A wide network doesn't mean this machine: its loopback must be named as such.
  const fit =
    found === "private"
      ? networks
      : found === "loopback"
        ? networks.filter((network) => classifyAddress(network.split("/")[0] ?? "") === "loopback")
        : [];
  return fit.some((network) => isInNetwork(address, network));
}
