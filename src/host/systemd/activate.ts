import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { syncFolder, writeFileAtomic } from "../../files/index.ts";
import type { ServiceConfig } from "../../broker/index.ts";
import {
  botUnits,
  browserUnits,
  hasBridge,
  TARGET_UNIT,
  wantedUnits,
} from "../../targets/index.ts";
import type { Generation } from "../Generation.ts";
import { makeAgentsFolder } from "../agentsFolder.ts";
import { HostError } from "../HostError.ts";
import { askBroker } from "./askBroker.ts";
import { botNames, changedShared, compareBot, toldUnits } from "./compareGenerations.ts";
import { becomeBridge, becomeHealthy } from "./health.ts";
import { addLinks, removeLinks } from "./links.ts";
import { installServicePlugins, removeLeftInstallation } from "./plugins/installServicePlugins.ts";
import { runOk } from "./run.ts";
import {
  collectGenerations,
  currentSystemGeneration,
  generationFolder,
  pointCurrent,
  readSystemGeneration,
} from "./SystemGeneration.ts";
import { reloadManager, resetUnits, startUnits, stopUnits } from "./systemctl.ts";
import type { SystemPaths } from "./systemPaths.ts";

type Progress = (text: string) => void;

/**
 * Puts a generation that is there in force: whole or not at all (invariant 9). Restarts only what it
 * changes and waits for health; when a bot doesn't come to answer, the one before is in force again.
 *
 * @param store folder of the deployment's programs
 * @throws HostError `not-healthy` when it went back, with why.
 */
export async function activate(
  paths: SystemPaths,
  number: number,
  store: string,
  progress: Progress,
): Promise<void> {
  const before = startingPoint(paths);
  // The way back is written down first; it stays there until health is known.
  const pending: Pending = { from: before ?? null, to: number };
  writeFileAtomic(paths.pending, `${JSON.stringify(pending)}\n`, 0o600);
  try {
    await putInForce(paths, before, number, { store, progress });
  } catch (error) {
    if (before === undefined || before === number) {
      await withdraw(paths);
      throw error;
    }
    progress(`going back to generation ${before}`);
    await putInForce(paths, number, before, { store, progress, back: true });
    finish(paths);
    throw error;
  }
  finish(paths);
}

/**
 * What to go back to. After a switch that was cut off it is what ran before that one: whether what it
 * put in force is any good was never found out.
 */
function startingPoint(paths: SystemPaths): number | undefined {
  const current = currentSystemGeneration(paths);
  const cut = readPending(paths);
  if (cut === undefined || cut.to !== current || cut.from === null) return current;
  return existsSync(generationFolder(paths, cut.from)) ? cut.from : current;
}

interface Pending {
  readonly from: number | null;
  readonly to: number;
}

/** The switch that was cut off, if one was. */
export function readPending({ pending }: SystemPaths): Pending | undefined {
  try {
    return JSON.parse(readFileSync(pending, "utf8")) as Pending;
  } catch {
    return undefined;
  }
}

async function putInForce(
  paths: SystemPaths,
  from: number | undefined,
  to: number,
  options: {
    readonly store: string;
    readonly progress: Progress;
    /** After one that came to nothing. */
    readonly back?: true;
  },
): Promise<void> {
  const { store, progress, back } = options;
  const next = readSystemGeneration(paths, to);
  const folder = generationFolder(paths, to);
  const units = unitNames(folder);
  await runOk("systemd-sysusers", [join(folder, "sysusers.conf")]);
  await runOk("systemd-tmpfiles", ["--create", join(folder, "tmpfiles.conf")]);
  for (const { name, openclaw } of next.plan.bots)
    if (openclaw.agents !== undefined) makeAgentsFolder(paths.state, name);
  addLinks(paths, units);
  pointCurrent(paths, to);
  await reloadManager();
  const old = from === undefined ? undefined : readSystemGeneration(paths, from);
  const ours = removeLinks(paths, units);
  await stopChanged(paths, { old, next, gone: ours, progress });
  if (ours.length > 0) await reloadManager();
  await removeLeftInstallation();
  // Its sockets, too, which would start the broker.
  const quiet = (bot: string): Promise<void> => stopUnits(Object.values(botUnits(bot)));
  await installServicePlugins({ paths, generation: next, store, progress, quiet }).catch(
    (error: unknown) => {
      // It runs with what it has, if it can; why we go back is said already.
      if (back === undefined || !(error instanceof HostError)) throw error;
      progress(error.message);
    },
  );
  await resetUnits(units);
  await startUnits([TARGET_UNIT]);
  // What is new among the target's wants isn't started with a target that is active already.
  await startUnits(wantedUnits(next.plan));
  await configureChanged(paths, { old, next });
  if (next.plan.bots.some((bot) => hasBridge(bot))) await becomeBridge();
  for (const bot of next.plan.bots) {
    progress(`waiting for ${bot.name}`);
    await becomeHealthy(paths, bot);
  }
}

/** Stops what is to be started anew, and what is no longer there. */
async function stopChanged(
  paths: SystemPaths,
  {
    old,
    next,
    gone,
    progress,
  }: {
    readonly old: Generation | undefined;
    readonly next: Generation;
    readonly gone: readonly string[];
    readonly progress: Progress;
  },
): Promise<void> {
  if (old === undefined) return;
  const stop = new Set<string>(gone);
  for (const unit of changedShared(
    generationFolder(paths, old.number),
    generationFolder(paths, next.number),
    wantedUnits(next.plan),
  ))
    stop.add(unit);
  for (const bot of botNames(next.plan)) {
    if (!botNames(old.plan).includes(bot)) continue;
    const changes = compareBot(
      generationFolder(paths, old.number),
      generationFolder(paths, next.number),
      bot,
    );
    const units = botUnits(bot);
    const browser = Object.values(browserUnits(bot)) as string[];
    const told = toldUnits(generationFolder(paths, next.number), bot);
    const all = [...Object.values(units), ...browser, ...told] as string[];
    const touched = changes.has("network")
      ? all
      : [
          ...(changes.has("broker") ? [units.broker] : []),
          ...(changes.has("gateway") ? [units.gateway] : []),
          ...(changes.has("browser") ? browser : []),
        ];
    if (touched.length > 0)
      progress(
        `restarting ${changes.has("network") || changes.has("gateway") ? "" : "the broker of "}${bot}`,
      );
    for (const unit of touched) stop.add(unit);
  }
  await stopUnits([...stop]);
}

/** Tells running brokers new rules. @throws HostError `broker-refused` */
async function configureChanged(
  paths: SystemPaths,
  { old, next }: { readonly old: Generation | undefined; readonly next: Generation },
): Promise<void> {
  if (old === undefined) return;
  for (const bot of botNames(next.plan)) {
    if (!botNames(old.plan).includes(bot)) continue;
    const to = generationFolder(paths, next.number);
    const changes = compareBot(generationFolder(paths, old.number), to, bot);
    if (!changes.has("configure") || changes.has("network")) continue;
    const text = readFileSync(join(to, "private", bot, "broker.json"), "utf8");
    const config = JSON.parse(text) as ServiceConfig;
    const reply = await askBroker(paths, bot, { verb: "configure", config });
    if (reply?.ok === true) continue;
    if (reply === undefined || reply.code === "restart" || reply.message === undefined) {
      const { broker } = botUnits(bot);
      await stopUnits([broker]);
      await startUnits([broker]);
      continue;
    }
    throw new HostError(
      "broker-refused",
      reply.message,
      reply.hint === undefined ? {} : { hint: reply.hint },
    );
  }
}

export function unitNames(folder: string): string[] {
  return readdirSync(join(folder, "units")).toSorted();
}

/** The first generation of all came to nothing: nothing is left in force. */
async function withdraw(paths: SystemPaths): Promise<void> {
  const number = currentSystemGeneration(paths);
  if (number === undefined) return;
  const units = unitNames(generationFolder(paths, number));
  await stopUnits(units);
  removeLinks(paths, []);
  pointCurrent(paths, undefined);
  rmSync(paths.pending, { force: true });
  await reloadManager();
  await resetUnits(units);
}

function finish(paths: SystemPaths): void {
  rmSync(paths.pending, { force: true });
  syncFolder(paths.root);
  collectGenerations(paths);
}
