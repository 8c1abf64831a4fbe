import ipaddr from "ipaddr.js";
import { parseAddress } from "../parseAddress.ts";

/** What kind of place an address is. Only `public` is reachable by a name without more being said. */
export type AddressClass =
  "public" | "private" | "loopback" | "link-local" | "metadata" | "special";

/**
 * Where clouds give credentials, scripts and names to whoever asks. Most of them lie in ranges that
 * are refused anyway; they are listed so that no `networks` of a grant lets one in.
 */
const METADATA: ReadonlySet<string> = new Set(
  [
    // AWS, GCP, Azure, DigitalOcean, Hetzner, OpenStack, Oracle, IBM, Vultr, Linode, Exoscale …
    "169.254.169.254",
    "fe80::a9fe:a9fe", // OpenStack
    "fd00:a9fe:a9fe::1", // Linode
    "fd00:c1::a9fe:a9fe", // Oracle
    "fd20:ce::254", // GCP
    // AWS: instances, DNS, time, ECS tasks, EKS pods.
    "fd00:ec2::254",
    "fd00:ec2::253",
    "fd00:ec2::123",
    "fd00:ec2::23",
    "169.254.169.253",
    "169.254.169.123",
    "169.254.170.2",
    "169.254.170.23",
    "192.0.0.192", // Oracle, before 2020
    "100.100.100.200", // Alibaba
    "168.63.129.16", // Azure's wire server
    "169.254.0.23", // Tencent
    "169.254.42.42", // Scaleway
    "fd00:42::42",
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
 * Classes an address by its range (IANA's special-purpose registries, as ipaddr.js knows them) and by
 * the address embedded in it. Nothing outside 2000::/3 is public, whatever it embeds: that settles
 * IPv4-compatible (`::7f00:1`), IPv4-translated, site-local, discard-only, local NAT64 and SRv6
 * addresses. Anything that isn't understood is `special`.
 *
 * A network that translates under a prefix of its own (RFC 6052 allows any) can't be told from another.
 */
export function classifyAddress(address: string): AddressClass {
  // A zone (`fe80::1%eth0`) makes it link-local by definition.
  const [plain = "", zone] = address.split("%");
  const parsed = parseAddress(plain);
  if (parsed === undefined) return zone === undefined ? "special" : "link-local";
  if (METADATA.has(parsed.toNormalizedString())) return "metadata";
  if (zone !== undefined) return "link-local";
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
  if (found !== "public") return found;
  return address.match(GLOBAL_UNICAST) && !isIsatap(address) ? "public" : "special";
}

/** ISATAP (RFC 5214 section 6.1): the interface identifier is 0000:5efe or 0200:5efe and an IPv4 address, to which a router would tunnel. */
function isIsatap(address: ipaddr.IPv6): boolean {
  const [, , , , high = 0, low] = address.parts;
  return low === 0x5efe && (high & 0xfdff) === 0;
}
