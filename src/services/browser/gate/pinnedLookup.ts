import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { callbackify } from "node:util";
import { findAddresses, type Destination, type Resolve } from "../../../broker/index.ts";

/**
 * A `lookup` for net.connect that gives checked addresses only. It is asked once for a connection, and
 * what it answers is what is dialled: a name that means something else a moment later gains nothing.
 */
export function pinnedLookup(networks: readonly string[], resolve: Resolve): LookupFunction {
  const find = async (name: string): Promise<LookupAddress[]> => {
    const addresses = await findAddresses(destination(name, networks), resolve);
    return addresses.map((address) => ({ address, family: isIP(address) }));
  };
  return (name, options, done) => {
    const answer = (error: NodeJS.ErrnoException | null, found: LookupAddress[] = []): void => {
      const [first = { address: "", family: 0 }] = found;
      if (options.all === true) done(error, found);
      else done(error, first.address, first.family);
    };
    callbackify(find)(name, answer);
  };
}

/** A literal address is never looked up, so it is checked by itself. @throws AddressRefusedError */
export async function checkLiteral(host: string, networks: readonly string[]): Promise<void> {
  if (isIP(host) !== 0) await checkHost(host, networks, () => Promise.resolve([]));
}

/** @throws AddressRefusedError, or what the resolver throws. */
export async function checkHost(
  host: string,
  networks: readonly string[],
  resolve: Resolve,
): Promise<void> {
  await findAddresses(destination(host, networks), resolve);
}

/** A literal is no exception here, as it is in a grant's own hosts: pages choose them. */
function destination(host: string, networks: readonly string[]): Destination {
  return { host, port: 0, allowed: new Set(["public"]), networks };
}
