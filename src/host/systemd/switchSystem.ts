import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { takeLock } from "../../files/index.ts";
import { comparePlans, type Plan, type PlanChange } from "../../plan/index.ts";
import {
  systemdTarget,
  missingDirectives,
  type SystemdSystem,
  type SystemdUpdate,
} from "../../targets/index.ts";
import { registrySettings } from "../../openclaw/index.ts";
import { locateVault } from "../../secrets/index.ts";
import type { Generation } from "../Generation.ts";
import { asDiskError, HostError } from "../HostError.ts";
import type { LoadedDeclaration } from "../loadDeclaration.ts";
import { SERVICE_INSIDE } from "../inside.ts";
import { PROJECT } from "../ownProcess.ts";
import { prepareGeneration, type Enforcement } from "../prepareGeneration.ts";
import type { StatePaths } from "../../paths/index.ts";
import { brokerCache } from "../warmBroker.ts";
import { activate, readPending, unitNames } from "./activate.ts";
import { checkForeign, checkPorts, portsOf } from "./checkForeign.ts";
import { CADDY, findSystem } from "./findSystem.ts";
import { privateFiles } from "./privateFiles.ts";
import { refuseContainers } from "./refuseContainers.ts";
import { requireSystem } from "./requireSystem.ts";
import { run } from "./run.ts";
import {
  currentSystemGeneration,
  dropSystemGeneration,
  generationFolder,
  listSystemGenerations,
  readSystemGeneration,
  refuseNixos,
  writeSystemGeneration,
} from "./SystemGeneration.ts";
import { systemInput, type CodePlace } from "./systemInput.ts";
import { tailnetSite } from "./tailnetSite.ts";
import { systemPaths, type SystemPaths } from "./systemPaths.ts";
import { updateInput } from "./update/updateInput.ts";
import { commandEnvironment } from "./commandEnvironment.ts";
import { storeNpm } from "../storeNpm.ts";
import { usersOf } from "./usersOf.ts";
import { validateBySystemd } from "./validateBySystemd.ts";

type Progress = (text: string) => void;

export interface SwitchOptions {
  readonly onProgress: Progress;
  /** Shown what changes; whether to go on. */
  readonly agree: (changes: readonly PlanChange[], first: boolean) => Promise<boolean>;
}

export interface Switched {
  readonly generation: number;
  readonly before: number | undefined;
  /** False when the generation in force says the same already. */
  readonly changed: boolean;
  readonly changes: readonly PlanChange[];
  /** Layers this systemd doesn't know, with the version that brings each. */
  readonly missing: readonly string[];
}

/**
 * Makes the declaration what this machine runs from boot.
 *
 * @throws HostError; TargetError, WallError, OpenClawError, DeclarationError for what it's made of.
 *   Whatever it throws, what ran before runs.
 */
export async function switchSystem(
  loaded: LoadedDeclaration,
  paths: StatePaths,
  options: SwitchOptions,
): Promise<Switched> {
  const { onProgress: progress, agree } = options;
  const version = await requireSystem();
  const places = systemPaths(paths);
  refuseWhatServicesLack(loaded.plan);
  return locked(places, async () => {
    const cut = readPending(places);
    if (cut !== undefined)
      progress(`the switch to generation ${cut.to} was cut off; going on from there`);
    const before = currentSystemGeneration(places);
    const old = before === undefined ? undefined : readSystemGeneration(places, before);
    await checkPorts(loaded.plan, new Set(old === undefined ? [] : portsOf(old.plan)));
    if (await usesSealedVault(loaded.plan, paths)) {
      throw new HostError("cannot-serve", "a vault with a passphrase can't be opened at boot", {
        hint: "keep the secrets as credentials of systemd (docs/systemd.md), or in a vault without one",
      });
    }
    let system: SystemdSystem | undefined;
    const enforcement: Enforcement = async (programs, plan) => {
      const found = await findSystem(version, programs.launcher, programs.node, places);
      system = found;
      // Throws what the wall can't go without on this machine.
      if (plan.bots.length > 0 && found.host.landlock < 1) requireLandlock(plan);
      return {
        validate: (input) => validateBySystemd(input, found),
      };
    };
    const content = await prepareGeneration(loaded, paths, progress, enforcement, SERVICE_INSIDE);
    if (system === undefined) {
      system = await findSystem(version, content.programs.launcher, content.programs.node, places);
    }
    const number = Math.max(0, ...listSystemGenerations(places)) + 1;
    const generation: Generation = { number, ...content };
    const place = { project: PROJECT, cache: brokerCache(paths.store) };
    const { node } = content.programs;
    const update = await prepareUpdates(loaded.plan, node, paths, place);
    const { root: state, store } = paths;
    const agents = {
      declaration: loaded.file,
      environment: commandEnvironment({ project: PROJECT, node, state, store }),
    };
    const more = { agents, ...(update === undefined ? {} : { update }) };
    const files = systemdTarget.render(systemInput(content, system, place, more));
    const units = files.flatMap(({ path }) => (path.startsWith("units/") ? [path.slice(6)] : []));
    checkForeign(places, units, loaded.plan);

    const changes = comparePlans(old?.plan, loaded.plan);
    if (!(await agree(changes, old === undefined))) {
      throw new HostError("needs-yes", "nothing was changed", {
        hint: "type it again with --yes when these changes are what you want",
      });
    }
    const site = await tailnetSite(loaded.plan);
    await makeUsers(files.find(({ path }) => path === "sysusers.conf")?.bytes);
    const users = usersOf(loaded.plan);
    const folder = before === undefined ? undefined : generationFolder(places, before);
    const own = await privateFiles({
      generation,
      paths,
      system,
      users: users.bots,
      before: folder,
      ...(site === undefined ? {} : { tailnet: site }),
    });
    const owners = new Map([
      ...[...users.brokers].map(([bot, user]) => [`private/${bot}/broker.json`, user] as const),
      ...[...users.gates].map(([bot, user]) => [`private/${bot}/gate.json`, user] as const),
    ]);
    writeSystemGeneration(places, generation, [...files, ...own], owners);
    const missing = missingDirectives(version);
    if (
      before !== undefined &&
      cut === undefined &&
      (await sameGeneration(places, before, number))
    ) {
      dropSystemGeneration(places, number);
      return { generation: before, before, changed: false, changes, missing };
    }
    try {
      await verifyUnits(generationFolder(places, number));
      await activate(places, number, paths.store, progress);
    } catch (error) {
      if (currentSystemGeneration(places) !== number) dropSystemGeneration(places, number);
      throw asDiskError(error, "the deployment");
    }
    return { generation: number, before, changed: true, changes, missing };
  });
}

/**
 * Puts an earlier generation in force again.
 *
 * @param wanted `undefined`: the last one before that in force
 */
export async function rollbackSystem(
  paths: StatePaths,
  wanted: number | undefined,
  progress: Progress,
): Promise<{ readonly generation: number; readonly before: number | undefined }> {
  await requireSystem();
  const places = systemPaths(paths);
  return locked(places, async () => {
    const before = currentSystemGeneration(places);
    const earlier = listSystemGenerations(places).filter((each) => each < (before ?? 0));
    const number = wanted ?? earlier.at(-1);
    if (number === undefined) {
      throw new HostError("no-such-generation", "there is no earlier generation to go back to", {
        hint: "see what there is with: seawall generations",
      });
    }
    const { plan } = readSystemGeneration(places, number);
    checkForeign(places, unitNames(generationFolder(places, number)), plan);
    await activate(places, number, paths.store, progress);
    return { generation: number, before };
  });
}

/** @throws HostError `already-running`, `cannot-serve` where NixOS has it */
export async function locked<T>(places: SystemPaths, work: () => Promise<T>): Promise<T> {
  refuseNixos(places);
  mkdirSync(places.root, { recursive: true, mode: 0o755 });
  using lock = await takeLock(places.lock, 0).catch((error: unknown) => {
    throw asDiskError(error, "the configuration folder");
  });
  if (lock === undefined) {
    throw new HostError("already-running", "another switch is at work on this machine", {
      hint: "wait for it to end, then try again",
    });
  }
  return await work();
}

/** What the units of updates need, where there are any. @throws HostError `cannot-serve` */
async function prepareUpdates(
  plan: Plan,
  node: string,
  { root: state, store }: StatePaths,
  place: CodePlace,
): Promise<SystemdUpdate | undefined> {
  const { autoUpdate } = plan;
  if (autoUpdate === undefined) return undefined;
  const { code, stderr } = await run("systemd-analyze", ["calendar", "--", autoUpdate.calendar]);
  if (code !== 0) {
    const said = stderr.trim().split("\n").at(-1) ?? "";
    throw new HostError("cannot-serve", `systemd doesn't take autoUpdate's calendar: ${said}`, {
      hint: 'say it as systemd.time(7) has it: "daily", "Sun 04:30"; try: systemd-analyze calendar TEXT',
    });
  }
  const settings = await registrySettings();
  return updateInput(
    { ...plan, autoUpdate },
    { ...place, node, npm: storeNpm(store), settings, state, store },
  );
}

/** What a plan needs of the machine, beside systemd. */
export function refuseWhatServicesLack(
  plan: Plan,
  { caddy }: { readonly caddy: string } = { caddy: CADDY },
): void {
  refuseContainers(plan);
  const open = plan.bots.find(({ expose }) => expose?.domain !== undefined);
  if (open !== undefined && !existsSync(caddy)) {
    throw new HostError(
      "cannot-serve",
      `bot "${open.name}" has a domain, and Caddy isn't installed`,
      {
        hint: "install it: apt install caddy, dnf install caddy, or pacman -S caddy",
      },
    );
  }
}

function requireLandlock({ bots }: Plan): void {
  const strict = bots.find(({ concessions }) => !concessions.includes("no-landlock"));
  if (strict === undefined) return;
  throw new HostError("cannot-serve", "this kernel has no Landlock", {
    hint: `add landlock to the kernel's lsm= parameter, or name the concession "no-landlock"`,
  });
}

async function usesSealedVault({ secrets }: Plan, paths: StatePaths): Promise<boolean> {
  if (!secrets.some(({ source }) => source.store === "vault")) return false;
  return (await locateVault(paths.vault.folder)).sealed;
}

async function makeUsers(sysusers: Uint8Array | undefined): Promise<void> {
  const { code, stderr } = await run("systemd-sysusers", ["-"], {
    input: Buffer.from(sysusers ?? []).toString(),
  });
  if (code === 0) return;
  throw new HostError(
    "system-command",
    `users can't be made: ${stderr.trim().split("\n").at(-1) ?? ""}`,
    {
      hint: "look at /etc/passwd and its permissions",
    },
  );
}

/** @throws HostError `system-command` for anything that systemd has to say about a unit of ours. */
async function verifyUnits(folder: string): Promise<void> {
  const names = unitNames(folder);
  const { stderr } = await run("systemd-analyze", [
    "verify",
    "--man=no",
    "--recursive-errors=no",
    ...names.map((name) => join(folder, "units", name)),
  ]);
  const [said] = stderr.split("\n").filter((line) => line.includes("seawall"));
  if (said === undefined) return;
  throw new HostError("system-command", `systemd doesn't take a unit: ${said.slice(0, 300)}`, {
    hint: "report it, with the output of: systemctl --version",
  });
}

async function sameGeneration(places: SystemPaths, one: number, two: number): Promise<boolean> {
  const { code } = await run("diff", [
    "--recursive",
    "--brief",
    "--exclude=generation.json",
    generationFolder(places, one),
    generationFolder(places, two),
  ]);
  return code === 0;
}
