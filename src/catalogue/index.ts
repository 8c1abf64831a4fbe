import { anthropic } from "./anthropic.ts";
import { discord } from "./discord.ts";
import { googleGemini } from "./googleGemini.ts";
import { mattermost } from "./mattermost.ts";
import { openai } from "./openai.ts";
import { openrouter } from "./openrouter.ts";
import type { ServiceEntry } from "./ServiceEntry.ts";
import { telegram } from "./telegram.ts";

export type {
  CredentialPlace,
  EntryJson,
  EntryMessage,
  EntryRule,
  ServiceEntry,
} from "./ServiceEntry.ts";

/** Every known service, sorted by name. A new one is a new file and a line here. */
const ENTRIES: readonly ServiceEntry[] = [
  anthropic,
  discord,
  googleGemini,
  mattermost,
  openai,
  openrouter,
  telegram,
];

/** The catalogue by name. A duplicate name is an error at load, not the last one winning. */
export const catalogue: ReadonlyMap<string, ServiceEntry> = byName(ENTRIES);

function byName(entries: readonly ServiceEntry[]): ReadonlyMap<string, ServiceEntry> {
  const map = new Map<string, ServiceEntry>();
  for (const entry of entries) {
    if (map.has(entry.name)) throw new Error(`the catalogue has "${entry.name}" twice`);
    map.set(entry.name, entry);
  }
  return map;
}
