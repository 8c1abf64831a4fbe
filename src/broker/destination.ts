import ipaddr from "ipaddr.js";
import { parseAddress } from "./parseAddress.ts";

/** The key under which an address and port are looked up; the same address in any spelling gives the same key. */
export function destinationKey(address: string, port: number): string {
  return `${normaliseAddress(address)} ${port}`;
}

/** One spelling per address; an IPv4 address mapped into IPv6 (RFC 4291 2.5.5.2) is the IPv4 address. */
export function normaliseAddress(address: string): string {
  const parsed = parseAddress(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  return parsed.isIPv4MappedAddress()
    ? parsed.toIPv4Address().toString()
    : parsed.toNormalizedString();
}
