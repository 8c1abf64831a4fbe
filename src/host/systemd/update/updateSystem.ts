import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../../../faults/index.ts";
import {
  adoptPin,
  compareVersions,
  ensureOpenClaw,
  Offer,
  OFFER_FILE,
  OFFERED_PINS,
  OFFERED_TREE,
  readPin,
} from "../../../openclaw/index.ts";
import type { StatePaths } from "../../../paths/index.ts";
import type { Plan, PlanChange } from "../../../plan/index.ts";
import { FETCH_FOLDER, FETCH_UNIT } from "../../../targets/index.ts";
import { changeDeclaration, loadInForce } from "../../changeDeclaration.ts";
import { HostError } from "../../HostError.ts";
import { requireSystem } from "../requireSystem.ts";
import { run } from "../run.ts";
import { currentSystemGeneration } from "../SystemGeneration.ts";
import { systemInForce } from "../systemInForce.ts";
import { systemPaths, type SystemPaths } from "../systemPaths.ts";
import { readUpdateReport, writeUpdateReport, type UpdateReport } from "./UpdateReport.ts";

/** Longer than the unit's own. */
const FETCH_MS = 65 * 60 * 1000;
const LARGEST_OFFER = 64 * 1024;
const AGAIN = "when it is right again, type: seawall update; until then bots stay as they are";

export interface UpdateOptions {
  readonly onProgress: (text: string) => void;
  /** Also a version that failed before. */
  readonly again: boolean;
}

/**
 * Moves every bot to a newer OpenClaw, if there is one: fetched by a service without rights, compared
 * with its pin, written into the declaration, switched to. If a bot doesn't become healthy with it,
 * declaration and generation are the ones from before. How it went stays there for `status`.
 *
 * @throws HostError, OpenClawError, whatever a switch throws; the report says it too.
 */
export async function updateSystem(
  paths: StatePaths,
  options: UpdateOptions,
): Promise<UpdateReport> {
  await requireSystem();
  const places = systemPaths(paths);
  const last = readUpdateReport(places);
  const progress: { version?: string } = {};
  const at = (): string => new Date().toISOString();
  const { plan } = systemInForce(paths, options.onProgress).generation;
  if (plan.autoUpdate === undefined) {
    throw new HostError("cannot-serve", "the declaration in force says nothing of updates", {
      hint: 'add autoUpdate: { calendar: "weekly" }, and switch to it with: seawall switch',
    });
  }
  writeUpdateReport(places, {
    at: at(),
    outcome: "begun",
    ...(last?.refused === undefined ? {} : { refused: last.refused }),
  });
  try {
    const done = await update(paths, places, options, progress, last);
    const report = done === "as before" && last !== undefined ? last : { at: at(), ...kept(done) };
    writeUpdateReport(places, report);
    return report;
  } catch (error) {
    const known = error instanceof SeawallError ? error : undefined;
    const { version } = progress;
    writeUpdateReport(places, {
      at: at(),
      outcome: "failed",
      why: known?.message ?? "for a reason it doesn't know",
      remedy: known?.hint === undefined ? AGAIN : `${known.hint}; ${AGAIN}`,
      ...(version === undefined ? {} : { to: version, refused: version }),
    });
    throw error;
  }
}

type Done = Omit<UpdateReport, "at"> | "as before";

function kept(done: Done): Omit<UpdateReport, "at"> {
  return done === "as before" ? { outcome: "none" } : done;
}

async function update(
  paths: StatePaths,
  places: SystemPaths,
  { onProgress, again }: UpdateOptions,
  progress: { version?: string },
  last: UpdateReport | undefined,
): Promise<Done> {
  const inForce = systemInForce(paths, onProgress, movesOnly);
  const { file, loaded } = loadInForce(inForce, "; updates wait until then");
  onProgress("looking for a newer OpenClaw");
  const offer = await fetchOffer();
  const older = loaded.plan.bots.filter(
    ({ openclaw }) => compareVersions(openclaw.version, offer.version) < 0,
  );
  if (older.length === 0 || !offer.tree) return { outcome: "none" };
  const { version } = offer;
  if (version === last?.refused && !again) {
    onProgress(`OpenClaw ${version} failed before; it is tried again with: seawall update --again`);
    return "as before";
  }
  progress.version = version;
  const pin = offer.pinned
    ? adoptPin(version, join(privateFolder(), OFFERED_PINS))
    : readPin(version);
  onProgress(`comparing OpenClaw ${version} with its pin`);
  await ensureOpenClaw(pin, paths.store, { tree: join(privateFolder(), OFFERED_TREE) });
  for (const part of [OFFERED_TREE, "npm"])
    rmSync(join(privateFolder(), part), { recursive: true, force: true });
  await changeDeclaration(
    inForce,
    file,
    older.map(({ name }) => ({
      kind: "replace",
      path: ["bots", name, "openclaw"],
      value: version,
    })),
    { onProgress },
  );
  const generation = currentSystemGeneration(places);
  return {
    outcome: "updated",
    from: versionsOf({ bots: older }),
    to: version,
    ...(generation === undefined ? {} : { generation }),
  };
}

function versionsOf({ bots }: Pick<Plan, "bots">): string[] {
  return [...new Set(bots.map(({ openclaw }) => openclaw.version))].toSorted(compareVersions);
}

/** An update is nothing else: whatever a version's name could bring along, bots may no more than before. */
function movesOnly(changes: readonly PlanChange[]): boolean {
  return changes.every(({ loosens }) => !loosens);
}

/** As root sees it; the service that writes there is over by then. */
function privateFolder(): string {
  return `/var/lib/private/${FETCH_FOLDER}`;
}

/** Has the service look, and reads what it says. */
async function fetchOffer(): Promise<Extract<Offer, { version: string }>> {
  const started = await run("systemctl", ["start", "--", FETCH_UNIT], { timeoutMs: FETCH_MS });
  const offer = readOffer();
  if (started.code === 0 && offer !== undefined && "version" in offer) return offer;
  const why =
    offer !== undefined && "failed" in offer
      ? { message: plainLine(offer.failed), hint: plainLine(offer.hint ?? "") }
      : { message: `${FETCH_UNIT} failed`, hint: "" };
  throw new HostError("update", `no newer OpenClaw could be fetched: ${why.message}`, {
    hint: `${why.hint === "" ? "" : `${why.hint}; `}look at: journalctl -u ${FETCH_UNIT}`,
  });
}

function readOffer(): Offer | undefined {
  try {
    const path = join(privateFolder(), OFFER_FILE);
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || stat.size > LARGEST_OFFER) return undefined;
      return Offer.parse(JSON.parse(readFileSync(file, "utf8")));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** It comes from a process that reads what the registry sends, and goes to a terminal. */
function plainLine(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/g, " ").slice(0, 300);
}
