import ipaddr from "ipaddr.js";
import { parseAddress } from "../parseAddress.ts";

/**
 * Whether an address lies in a network written as `10.0.0.0/8` or `fd00::/8`. An IPv4 address mapped
 * into IPv6 is the IPv4 address. What can't be read lies in no network.
 */
export function isInNetwork(address: string, network: string): boolean {
  const inner = unmapped(parseAddress(address));
  const [base = "", bits = ""] = network.split("/");
  const outer = parseAddress(base);
  if (inner === undefined || outer === undefined || !/^\d{1,3}$/.test(bits)) return false;
  const length = Number(bits);
  if (inner instanceof ipaddr.IPv4)
    return outer instanceof ipaddr.IPv4 && length <= 32 && inner.match(outer, length);
  return outer instanceof ipaddr.IPv6 && length <= 128 && inner.match(outer, length);
}

function unmapped(
  address: ipaddr.IPv4 | ipaddr.IPv6 | undefined,
): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()
    ? address.toIPv4Address()
    : address;
}
