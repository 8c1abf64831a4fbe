import { createHash } from "node:crypto";
import type { HostPlan } from "../../plan/index.ts";
import type { Deployment, Granted } from "../Deployment.ts";
import { normaliseAddress } from "../destination.ts";
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

interface Known {
  /** By name, in the order of use. */
  readonly slots: Map<string, number>;
  /** An address may still lead to a name that has made room since. */
  readonly byAddress: Map<string, string>;
}

/**
 * Hosts that no grant has, of bots whose owner wants to be asked. Their names are answered with
 * addresses from a range of their own (`assignAddresses` leaves 11.0.0.0/24 and 11.255.255.0/24 out,
 * and all of 2600:5ea0::/32 but its first /96), without a question to anybody; only a connection to
 * such an address, by TLS and with that very name, makes the owner be asked.
 */
export class UnknownHosts {
  readonly #deployment: () => Deployment | undefined;
  readonly #addressOf: SlotAddress;
  /** By bot. */
  readonly #known = new Map<string, Known>();

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
  grantedFor({ bot, address, port, named }: Arrival): Granted | undefined {
    if (named !== undefined)
      return named.plain ? undefined : this.#grantedByName(bot, named.name, port);
    const known = this.#known.get(bot);
    const name = known?.byAddress.get(normaliseAddress(address));
    const slot = name === undefined ? undefined : known?.slots.get(name);
    if (known === undefined || name === undefined || slot === undefined) return undefined;
    if (this.#deployment()?.bots.get(bot)?.plan.unknownHosts !== "ask") return undefined;
    touch(known, name, slot);
    const host: HostPlan = { name, port, scheme: "https", ...this.#addressOf(slot) };
    return { bot, grant: { kind: "tunnel", name: UNKNOWN_GRANT, hosts: [host] }, host };
  }

  /** Named to the explicit proxy: there is no address to find it by. */
  #grantedByName(bot: string, name: string, port: number): Granted | undefined {
    if (this.#deployment()?.bots.get(bot)?.plan.unknownHosts !== "ask" || !isSane(name))
      return undefined;
    const host: HostPlan = { name, port, scheme: "https" };
    return { bot, grant: { kind: "tunnel", name: UNKNOWN_GRANT, hosts: [host] }, host };
  }

  #lookUp(bot: string, name: string): { readonly v4: string; readonly v6?: string } | undefined {
    if (!isSane(name)) return undefined;
    const known = this.#known.get(bot) ?? { slots: new Map(), byAddress: new Map() };
    this.#known.set(bot, known);
    const slot = known.slots.get(name) ?? this.#takeSlot(known, name);
    touch(known, name, slot);
    return this.#addressOf(slot);
  }

  #takeSlot({ slots, byAddress }: Known, name: string): number {
    const [oldest] = slots.keys();
    if (slots.size >= MOST_NAMES && oldest !== undefined) slots.delete(oldest);
    const taken = new Set(slots.values());
    let slot = createHash("sha256").update(name).digest().readUInt32BE(0) % SLOTS;
    while (taken.has(slot)) slot = (slot + 1) % SLOTS;
    // Writes over whichever name had the slot before.
    const { v4, v6 = v4 } = this.#addressOf(slot);
    for (const address of [v4, v6]) byAddress.set(normaliseAddress(address), name);
    return slot;
  }
}

function touch({ slots }: Known, name: string, slot: number): void {
  slots.delete(name);
  slots.set(name, slot);
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
