import { isIP } from "node:net";
import { AddressRefusedError, isAllowed, type Destination, type Resolve } from "./Destination.ts";
import { interleave } from "./raceAddresses.ts";

/** A name with more addresses than this has its first ones tried. */
const MOST_ADDRESSES = 16;

/**
 * The addresses a destination may be dialled at, in the order to try them. All of a name's addresses
 * are looked at one by one, and what is returned are literals: between the check and the connection
 * nothing is resolved again, so that a second, different answer can't get in between.
 *
 * @throws AddressRefusedError when none is allowed, or what the resolver throws.
 */
export async function findAddresses(
  destination: Destination,
  resolve: Resolve,
): Promise<readonly [string, ...string[]]> {
  const literal = isIP(destination.host) !== 0;
  const all = literal
    ? [destination.host]
    : (await resolve(destination.host)).map(({ address }) => address);
  const fit = interleave(all.filter((address) => isAllowed(destination, address)));
  const [first, ...rest] = fit.slice(0, MOST_ADDRESSES);
  if (first === undefined) throw new AddressRefusedError("no address of the host is allowed");
  return [first, ...rest];
}
