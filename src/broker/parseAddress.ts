import ipaddr from "ipaddr.js";

/**
 * An address as ipaddr.js knows it, or `undefined`. IPv4 only as four plain decimals: `0177.0.0.1`
 * and `127.1` are read differently by different libraries. A dotted tail of an IPv6 address is
 * turned into hex first: ipaddr.js 2.5 takes `::10.0.0.1` for `::ffff:10.0.0.1` (measured), the kernel does not.
 */
export function parseAddress(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (!address.includes(":"))
    return ipaddr.IPv4.isValidFourPartDecimal(address) ? ipaddr.IPv4.parse(address) : undefined;
  const colon = address.lastIndexOf(":") + 1;
  const tail = address.slice(colon);
  if (!tail.includes("."))
    return ipaddr.IPv6.isValid(address) ? ipaddr.IPv6.parse(address) : undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(tail)) return undefined;
  const hex = Buffer.from(ipaddr.IPv4.parse(tail).toByteArray()).toString("hex");
  const whole = `${address.slice(0, colon)}${hex.slice(0, 4)}:${hex.slice(4)}`;
  return ipaddr.IPv6.isValid(whole) ? ipaddr.IPv6.parse(whole) : undefined;
}

/**
 * The 4 or 16 bytes of an address, in network order.
 *
 * @throws TypeError when it is none.
 */
export function addressBytes(address: string): readonly number[] {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new TypeError("not an address");
  return parsed.toByteArray();
}
