import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { compareVersions } from "./compareVersions.ts";
import { installTree } from "./installTree.ts";
import { makePin } from "./makePin.ts";
import { OpenClawError } from "./OpenClawError.ts";
import { isVersion, latestPin, listPins, readPin, thisPlatform, type OpenClawPin } from "./Pin.ts";
import { removeTree } from "./removeTree.ts";
import { QUIET, runNpm } from "./runNpm.ts";

/** What lies in the folder of a fetch: the answer, and what was fetched. */
export const OFFER_FILE = "offer.json";
export const OFFERED_TREE = "root";
export const OFFERED_PINS = "pins";

export const Offer = z.union([
  z.strictObject({
    version: z.string().refine(isVersion),
    /** Whether its pin was made just now; else it is one that was there. */
    pinned: z.boolean(),
    /** Whether the installed tree lies there too. Not for a version that everybody has. */
    tree: z.boolean(),
  }),
  z.strictObject({ failed: z.string().max(1000), hint: z.string().max(2000).optional() }),
]);
export type Offer = z.infer<typeof Offer>;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Looks for an OpenClaw newer than `have` and fetches it into `folder`: its pin, where that has to be
 * made, and its installed tree. It installs nothing anywhere else, so it needs no rights but to write
 * there; whoever takes what it fetched compares it with the pin (ensureOpenClaw).
 *
 * @param options.folder emptied first
 * @throws OpenClawError
 */
export async function fetchNewer(options: {
  readonly have: string;
  readonly from: "pins" | "registry";
  readonly days: number;
  readonly folder: string;
  readonly now: number;
  readonly onProgress: (text: string) => void;
  /** By default Seawall's own. */
  readonly pins?: string;
  /** Another package than `openclaw`; for tests. */
  readonly name?: string;
}): Promise<Offer> {
  const { have, folder, onProgress, pins } = options;
  for (const part of [OFFER_FILE, OFFERED_TREE, OFFERED_PINS, "work"])
    removeTree(join(folder, part));
  const pinnedNow = pins === undefined ? latestPin() : latestPin(pins);
  const newest = options.from === "pins" ? pinnedNow : await newestOf(options, pinnedNow);
  if (compareVersions(newest, have) <= 0) return { version: have, pinned: false, tree: false };
  const known = (pins === undefined ? listPins() : listPins(pins)).includes(newest);
  const pin = known ? readPin(newest, pins) : await pinInto(folder, newest, options);
  const work = join(folder, "work");
  mkdirSync(work);
  const tree = await installTree(pin.folder, thisPlatform(), work, (done, total) => {
    if (done === 0 || done === total) onProgress(`installing ${newest}: ${done} of ${total}`);
  });
  cpSync(tree, join(folder, OFFERED_TREE), { recursive: true, verbatimSymlinks: true });
  removeTree(work);
  return { version: newest, pinned: !known, tree: true };
}

async function pinInto(
  folder: string,
  version: string,
  { name, onProgress }: { readonly name?: string; readonly onProgress: (text: string) => void },
): Promise<OpenClawPin> {
  return makePin(version, {
    pins: join(folder, OFFERED_PINS),
    platforms: [thisPlatform()],
    onProgress: (text) => {
      // The rest is a line for each package.
      if (!/: [1-9]\d* of/.test(text)) onProgress(text);
    },
    ...(name === undefined ? {} : { name }),
  });
}

const Times = z.record(z.string(), z.string());

/** The newest release that has been in the registry for long enough, or `pinned` where that is newer. */
async function newestOf(
  {
    days,
    now,
    name = "openclaw",
  }: { readonly days: number; readonly now: number; readonly name?: string },
  pinned: string,
): Promise<string> {
  const text = await runNpm(["view", name, "time", "--json", ...QUIET], tmpdir());
  const times = Times.safeParse(JSON.parse(text));
  if (!times.success) {
    throw new OpenClawError("registry", "the registry doesn't say when versions were released", {
      hint: 'use another registry, or say from: "pins"',
    });
  }
  const old = Object.entries(times.data).filter(
    ([version, time]) =>
      /^\d+\.\d+\.\d+$/.test(version) &&
      isVersion(version) &&
      now - Date.parse(time) >= days * DAY_MS,
  );
  return [pinned, ...old.map(([version]) => version)].toSorted(compareVersions).at(-1) ?? pinned;
}

/** Writes the answer, whole. */
export function writeOffer(folder: string, offer: Offer): void {
  rmSync(join(folder, OFFER_FILE), { force: true });
  writeFileSync(join(folder, OFFER_FILE), `${JSON.stringify(offer)}\n`, { mode: 0o644 });
}
