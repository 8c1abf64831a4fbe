import { createHash } from "node:crypto";
import type { HostPlan } from "../../plan/index.ts";
import type { Deployment, Granted } from "../Deployment.ts";
import { destinationKey } from "../destination.ts";
import type { Names } from "../dns/answer.ts";
import type { Arrival } from "../identify.ts";

/** Names the synthetic grant of a host that no grant has. No real grant can be called so. */
export const UNKNOWN_GRANT = "(unknown)";

/** Names a bot can have looked up at the same time; the one not used for longest makes room. */
const MOST_NAMES = 256;
/** Addresses to choose from, so that a name that comes again mostly finds the one it had. */
const SLOTS = 508;

/** The addresses of one slot. */
export type SlotAddress = (slot: number) => { readonly v4: string; readonly v6?: string };

/**
 * Hosts that no grant has, of bots whose owner wants to be asked. Their names are answered with
 * addresses from a range of their own (`assignAddresses` leaves 11.0.0.0/24 and 11.255.255.0/24 out,
 * and all of 2600:5ea0::/32 but its first /96), without a question to anybody; only a connection to
 * such an address, by TLS and with that very name, makes the owner be asked.
 */
export class UnknownHosts {
  readonly #deployment: () => Deployment | undefined;
  readonly #addressOf: SlotAddress;
  /** By bot, then name; in the order of use. */
  readonly #slots = new Map<string, Map<string, number>>();

  constructor(deployment: () => Deployment | undefined, addressOf: SlotAddress = unknownAddress) {
    this.#deployment = deployment;
    this.#addressOf = addressOf;
  }

  /** A bot's names for its DNS: those granted, and where it may ask also any other that is looked up. */
  names(bot: string): Names {
    const there = this.#deployment()?.bots.get(bot);
    const granted: Names = there?.names ?? new Map();
    if (there?.plan.unknownHosts !== "ask") return granted;
    return {
      get: (name) => granted.get(name) ?? this.#lookUp(bot, name),
      keys: () => granted.keys(),
    };
  }

  /** What a connection to an address that no grant has is for, if it was given out for a name. */
  grantedFor({ bot, address, port }: Arrival): Granted | undefined {
    const names = this.#slots.get(bot);
    if (names === undefined || this.#deployment()?.bots.get(bot)?.plan.unknownHosts !== "ask")
      return undefined;
    const key = destinationKey(address, port);
    for (const [name, slot] of names) {
      const { v4, v6 } = this.#addressOf(slot);
      if (![v4, v6 ?? v4].some((each) => destinationKey(each, port) === key)) continue;
      this.#touch(names, name, slot);
      const host: HostPlan = {
        name,
        port,
        scheme: "https",
        v4,
        ...(v6 === undefined ? {} : { v6 }),
      };
      return { bot, grant: { kind: "tunnel", name: UNKNOWN_GRANT, hosts: [host] }, host };
    }
    return undefined;
  }

  #lookUp(bot: string, name: string): { readonly v4: string; readonly v6?: string } | undefined {
    if (!isSane(name)) return undefined;
    const names = this.#slots.get(bot) ?? new Map<string, number>();
    this.#slots.set(bot, names);
    const slot = names.get(name) ?? this.#freeSlot(names, name);
    this.#touch(names, name, slot);
    return this.#addressOf(slot);
  }

  #freeSlot(names: Map<string, number>, name: string): number {
    const [oldest] = names.keys();
    if (names.size >= MOST_NAMES && oldest !== undefined) names.delete(oldest);
    const taken = new Set(names.values());
    let slot = createHash("sha256").update(name).digest().readUInt32BE(0) % SLOTS;
    while (taken.has(slot)) slot = (slot + 1) % SLOTS;
    return slot;
  }

  #touch(names: Map<string, number>, name: string, slot: number): void {
    names.delete(name);
    names.set(name, slot);
  }
}

/** 11.0.0.1 to 11.0.0.254, then 11.255.255.1 to 11.255.255.254; 2600:5ea0:1:: and so on. */
export function unknownAddress(slot: number): { readonly v4: string; readonly v6: string } {
  const last = (slot % 254) + 1;
  return {
    v4: slot < 254 ? `11.0.0.${last}` : `11.255.255.${last}`,
    v6: `2600:5ea0:1::${(slot + 1).toString(16)}`,
  };
}

/** A name that may exist: letters, digits and hyphens, two labels or more, no address, nothing for local use. */
function isSane(name: string): boolean {
  if (
    name.length > 253 ||
    !/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(name)
  )
    return false;
  return !/(?:^|\.)(?:arpa|local|localhost|internal|lan|home|invalid|onion)$/.test(name);
}
