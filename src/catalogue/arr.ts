import type { EntryOperation } from "./EntryCommand.ts";
import type { ServiceEntry } from "./ServiceEntry.ts";

const term = {
  type: "string",
  required: true,
  about: "words of the title",
  min: 1,
  max: 200,
} as const;
const page = {
  page: { type: "integer", about: "which page, from 1", min: 1, max: 10_000 },
  pageSize: { type: "integer", about: "how many a page", min: 1, max: 200 },
} as const;
const paged = { page: "{page}", pageSize: "{pageSize}" };

/**
 * Sonarr and Radarr, https://sonarr.tv/docs/api and https://radarr.video/docs/api: one API (v3) for series
 * and films. Reading only. Left out, since each answers with keys and passwords: `config`, `indexer`,
 * `downloadclient`, `notification`, `importlist`, `system/backup`, `log/file`.
 */
function arr(options: {
  readonly name: "sonarr" | "radarr";
  readonly title: string;
  readonly thing: "series" | "movie";
  readonly parts: readonly string[];
  readonly more: Readonly<Record<string, EntryOperation>>;
}): ServiceEntry {
  const { name, title, thing, parts, more } = options;
  const read = [
    "calendar",
    "diskspace",
    "health",
    "history",
    "qualityprofile",
    "queue",
    "rootfolder",
    "system/status",
    "tag",
    "wanted/missing",
    "wanted/cutoff",
    thing,
    `${thing}/*`,
    `${thing}/lookup`,
    "command",
    "command/*",
    ...parts,
  ];
  return {
    name,
    title,
    hosts: [],
    ownHost: true,
    credential: [{ header: "x-api-key" }],
    phantom: "{hex:32}",
    variable: `${name.toUpperCase()}_API_KEY`,
    allow: read.map((path) => `GET /api/v3/${path}`),
    command: {
      name,
      about: `your owner's ${title}`,
      raw: true,
      operations: {
        [`${thing}.list`]: { about: "all there are", call: `GET /api/v3/${thing}` },
        [`${thing}.get`]: {
          about: "one of them",
          input: { id: { type: "integer", required: true, about: "its id", min: 1 } },
          call: `GET /api/v3/${thing}/{id}`,
        },
        [`${thing}.lookup`]: {
          about: "look for one that isn't there yet",
          input: { term },
          call: `GET /api/v3/${thing}/lookup`,
          query: { term: "{term}" },
        },
        calendar: {
          about: "what comes when",
          input: {
            start: { type: "string", about: "from then on, as 2026-03-01" },
            end: { type: "string", about: "until then" },
          },
          call: "GET /api/v3/calendar",
          query: { start: "{start}", end: "{end}" },
        },
        queue: {
          about: "what is on its way",
          input: page,
          call: "GET /api/v3/queue",
          query: paged,
        },
        history: { about: "what was done", input: page, call: "GET /api/v3/history", query: paged },
        missing: {
          about: "what is wanted and not there",
          input: page,
          call: "GET /api/v3/wanted/missing",
          query: paged,
        },
        status: { about: "version and state", call: "GET /api/v3/system/status" },
        health: { about: "what is wrong with it", call: "GET /api/v3/health" },
        ...more,
      },
    },
  };
}

export const sonarr: ServiceEntry = arr({
  name: "sonarr",
  title: "Sonarr (series)",
  thing: "series",
  parts: ["episode", "episode/*", "episodefile"],
  more: {
    "episode.list": {
      about: "the episodes of a series",
      input: { seriesId: { type: "integer", required: true, about: "the series' id", min: 1 } },
      call: "GET /api/v3/episode",
      query: { seriesId: "{seriesId}" },
    },
  },
});

export const radarr: ServiceEntry = arr({
  name: "radarr",
  title: "Radarr (films)",
  thing: "movie",
  parts: ["moviefile", "collection"],
  more: {},
});
