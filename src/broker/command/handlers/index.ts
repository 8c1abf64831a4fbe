import type { CommandHandler } from "../Handler.ts";
import { annasArchive } from "./annasArchive.ts";
import { bridge } from "./bridge.ts";
import { browserFetch } from "./browserFetch.ts";
import { transcribe } from "./transcribe.ts";

/** Every service that is code of the broker's own, sorted by name. A new one is a new file and a line here. */
const HANDLERS: readonly CommandHandler[] = [annasArchive, bridge, browserFetch, transcribe];

/** By name. A duplicate name is an error at load. */
export const handlers: ReadonlyMap<string, CommandHandler> = byName(HANDLERS);

function byName(all: readonly CommandHandler[]): ReadonlyMap<string, CommandHandler> {
  const map = new Map<string, CommandHandler>();
  for (const each of all) {
    if (map.has(each.name)) throw new Error(`there are two handlers "${each.name}"`);
    map.set(each.name, each);
  }
  return map;
}
