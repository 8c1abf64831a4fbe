import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** A plugin that OpenClaw knows of but doesn't bring along. */
export interface CataloguePlugin {
  readonly id: string;
  readonly kind: "provider" | "channel" | "plugin";
  /** npm package. */
  readonly npm: string;
  /** Environment variables that its entry mentions, sorted. */
  readonly variables: readonly string[];
}

const KINDS = ["provider", "channel", "plugin"] as const;

const Entry = z.looseObject({
  name: z.string(),
  openclaw: z.looseObject({
    plugin: z.looseObject({ id: z.string() }).optional(),
    channel: z.looseObject({ id: z.string() }).optional(),
    install: z.looseObject({ npmSpec: z.string().optional() }).optional(),
  }),
});
const Catalogue = z.looseObject({ entries: z.array(Entry) });

/**
 * Reads the catalogues of external plugins that OpenClaw carries in `scripts/lib` (measured with
 * 2026.9.6). OpenClaw installs such a plugin by itself when one of its variables is set, at the
 * start of the gateway, with npm, and doesn't start without it; so the variables must be known.
 * They stand in several places of an entry, hence everything that looks like one is taken: a plugin
 * too many on the list of denied ones does no harm.
 *
 * @param openclaw the installed package's folder.
 * @returns sorted by id; empty for a package without catalogues.
 */
export function readCatalogue(openclaw: string): CataloguePlugin[] {
  return KINDS.flatMap((kind) => {
    const file = join(openclaw, "scripts", "lib", `official-external-${kind}-catalog.json`);
    if (!existsSync(file)) return [];
    const { entries } = Catalogue.parse(JSON.parse(readFileSync(file, "utf8")));
    return entries.map((entry) => ({
      id: entry.openclaw.plugin?.id ?? entry.openclaw.channel?.id ?? entry.name,
      kind,
      npm: entry.openclaw.install?.npmSpec ?? entry.name,
      variables: [
        ...new Set(JSON.stringify(entry).match(/(?<=")[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?=")/g)),
      ].toSorted(),
    }));
  }).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
