import ipaddr from "ipaddr.js";
import { parseAddress } from "../parseAddress.ts";

/** What kind of place an address is. Only `public` is reachable by a name without more being said. */
export type AddressClass =
  "public" | "private" | "loopback" | "link-local" | "metadata" | "special";

/** Where clouds serve credentials to whoever asks: AWS/GCP/Azure, AWS IPv6, GCP IPv6, Azure's wire server, Alibaba, Oracle. */
const METADATA = new Set(
  [
    "169.254.169.254",
    "169.254.170.2",
    "fd00:ec2::254",
    "fd20:ce::254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
  ].map((address) => ipaddr.parse(address).toNormalizedString()),
);

/** Ranges as ipaddr.js names them; every other one is `special`. */
const CLASSES: ReadonlyMap<string, AddressClass> = new Map([
  ["unicast", "public"],
  ["private", "private"],
  ["carrierGradeNat", "private"],
  ["uniqueLocal", "private"],
  ["loopback", "loopback"],
  ["linkLocal", "link-local"],
]);

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");
/** NAT64 (RFC 6052): on an IPv6-only network this is how a public IPv4 host looks, so what counts is the address inside. */
const NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

/**
 * Classes an address by its range (IANA special-purpose registries, as ipaddr.js knows them) and by
 * the address embedded in it. Anything that isn't understood is `special`.
 */
export function classifyAddress(address: string): AddressClass {
  // A zone (`fe80::1%eth0`) makes it link-local by definition.
  if (address.includes("%")) return "link-local";
  const parsed = parseAddress(address);
  if (parsed === undefined) return "special";
  if (METADATA.has(parsed.toNormalizedString())) return "metadata";
  return parsed instanceof ipaddr.IPv6 ? classifyV6(parsed) : classifyV4(parsed);
}

function classifyV4(address: ipaddr.IPv4): AddressClass {
  return CLASSES.get(address.range()) ?? "special";
}

function classifyV6(address: ipaddr.IPv6): AddressClass {
  if (address.isIPv4MappedAddress()) return classifyAddress(address.toIPv4Address().toString());
  if (address.match(NAT64)) {
    const inner = classifyAddress(new ipaddr.IPv4(address.toByteArray().slice(12)).toString());
    return inner === "public" ? "public" : "special";
  }
  const found = CLASSES.get(address.range()) ?? "special";
  return found === "public" && !address.match(GLOBAL_UNICAST) ? "special" : found;
}
