import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type { Resolve } from "./Destination.ts";

/**
 * Lookups wait in libuv's pool, which has four threads and also serves files and compression (Node's
 * docs, "Implementation considerations" of dns). Names whose servers are dead must leave it one.
 */
const MOST_AT_ONCE = 3;

/**
 * The system's resolver: all addresses of a name, hosts file and all. Whoever asks for a name that is being
 * looked up gets that answer too, so that a name keeps at most one thread; nothing is remembered
 * beyond that, the system caches what it wants to.
 */
export function systemResolve(
  look: Resolve = (name) => lookup(name, { all: true, order: "verbatim" }),
): Resolve {
  const pending = new Map<string, Promise<readonly LookupAddress[]>>();
  const waiting: (() => void)[] = [];
  let running = 0;
  const ask = async (name: string): Promise<readonly LookupAddress[]> => {
    if (running >= MOST_AT_ONCE) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      return await look(name);
    } finally {
      pending.delete(name);
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
  return (name) => {
    const there = pending.get(name);
    if (there !== undefined) return there;
    const asked = ask(name);
    pending.set(name, asked);
    return asked;
  };
}
