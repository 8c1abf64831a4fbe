import { createHash } from "node:crypto";
import { isIP } from "node:net";

/** The addresses by which a bot knows a host. An IP literal is known by itself alone. */
export interface HostAddress {
  readonly v4?: string;
  readonly v6?: string;
}

/**
 * Gives each granted name addresses of its own, the same on every machine and whatever else is
 * granted beside it, unless two names fall on one (then the later name in order moves on).
 *
 * Nothing sent to these addresses ever leaves the bot's namespace. They only have to look public,
 * since OpenClaw and other clients refuse to talk to private ones: 11.0.0.0/8 and 2600:5ea0::/32.
 */
export function assignAddresses(names: Iterable<string>): ReadonlyMap<string, HostAddress> {
  const sorted = [...new Set(names)].toSorted();
  const taken = new Set<number>();
  const result = new Map<string, HostAddress>();
  for (const name of sorted) {
    const family = isIP(name);
    if (family === 4) result.set(name, { v4: name });
    else if (family === 6) result.set(name, { v6: name });
    else {
      let suffix = createHash("sha256").update(name).digest().readUIntBE(0, 3);
      // The first and last 256 addresses are left out, so that none ends in a network's own address.
      while (taken.has(suffix) || suffix < 0x100 || suffix >= 0xffff00)
        suffix = (suffix + 1) % 0x1000000;
      taken.add(suffix);
      const [a, b, c] = [suffix >> 16, (suffix >> 8) & 0xff, suffix & 0xff];
      result.set(name, {
        v4: `11.${a}.${b}.${c}`,
        v6: `2600:5ea0::${a.toString(16)}:${((b << 8) | c).toString(16)}`,
      });
    }
  }
  return result;
}
