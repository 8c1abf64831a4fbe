import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { browserFiles, type BrowserSystem } from "../../services/index.ts";
import { browserBots } from "../browserSetup.ts";
import { nativeModules } from "../nativeModules.ts";
import { readPin, renderConfig } from "../../openclaw/index.ts";
import {
  nixosUnits,
  systemdTarget,
  targetFile,
  type SystemdAgents,
  type SystemdInput,
  type SystemdInstall,
  type SystemdSystem,
  type TargetFile,
} from "../../targets/index.ts";
import { programFiles, readInterpreter, type Mount, type ProgramFiles } from "../../wall/index.ts";
import { clientCommands, type Plan } from "../../plan/index.ts";
import { findCommands } from "../findCommand.ts";
import type { BotGeneration, Generation, Programs } from "../Generation.ts";
import { HostError } from "../HostError.ts";
import { SERVICE_INSIDE } from "../inside.ts";
import { readCas, readMintCas, type LoadedDeclaration } from "../loadDeclaration.ts";
import { commandEnvironment } from "../systemd/commandEnvironment.ts";
import { systemInput, type CodePlace } from "../systemd/systemInput.ts";
import { landlockOf, type MachineDescription } from "./MachineDescription.ts";

/** The description, in the generation: what makes the private files reads it. */
export const MACHINE_FILE = "machine.json";
export const GENERATION_FILE = "generation.json";

/** The machine, as the systemd target knows one. */
export function describedSystem(machine: MachineDescription): SystemdSystem {
  const { systemd, kernel, ipv6, architecture, paths, programs, project } = machine;
  return {
    version: systemd,
    host: {
      architecture,
      kernel,
      bubblewrap: undefined,
      namespaces: { ok: true },
      landlock: landlockOf(kernel),
      seccomp: true,
      ipv6,
      noexec: true,
      countsProcesses: true,
      cgroups: { kind: "systemd", program: "/usr/bin/systemd-run", user: false },
      loaders: loadersOf(machine),
      mechanisms: [],
    },
    paths,
    programs: {
      launcher: programs.launcher,
      ip: programs.ip,
      socketProxy: programs.socketProxy,
      seawall: [programs.node, join(project, "src/cli/main.ts")],
      caddy: programs.caddy,
      tailscale: programs.tailscale,
    },
  };
}

/**
 * By what the kernel starts its programs: in a Nix store each names the loader of the libraries that it was built
 * with, and there is no other.
 */
function loadersOf({ programs, browser, commands }: MachineDescription): string[] {
  const granted = [...new Set(Object.values(commands).flat())].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [],
  );
  const known = [programs.node, programs.shell, ...(browser ? [browser.chromium] : []), ...granted];
  const found = known.flatMap((program) => readInterpreter(program) ?? []);
  return [...new Set(found)].toSorted();
}

/**
 * A generation for a machine that isn't this one. What it names is read here (commands, libraries,
 * OpenClaw), so the same description gives the same bytes wherever that can be read. Nothing of it
 * depends on when it is made.
 *
 * @throws HostError, OpenClawError, DeclarationError for what is wrong with the declaration.
 */
export async function describedGeneration(
  loaded: LoadedDeclaration,
  machine: MachineDescription,
): Promise<Generation> {
  const { node, launcher, shell } = machine.programs;
  const client = join(machine.project, "build/seawall-client");
  const hasClients = loaded.plan.bots.some((bot) => clientCommands(bot).length > 0);
  const programs: Programs = {
    node,
    launcher,
    shell,
    ...(hasClients ? { client } : {}),
    ...describedBrowser(loaded.plan, machine),
  };
  const cas = readCas(loaded);
  const bots: Record<string, BotGeneration> = {};
  const natives = new Map<string, string[]>();
  for (const plan of loaded.plan.bots) {
    const pin = readPin(plan.openclaw.version);
    const root = machine.openclaw[pin.version];
    if (root === undefined)
      throw new HostError("cannot-serve", `the machine has no OpenClaw ${pin.version}`, {
        hint: `bot "${plan.name}" wants it; it has: ${Object.keys(machine.openclaw).join(", ")}`,
      });
    const found = natives.get(root) ?? (await nativeModules(root));
    natives.set(root, found);
    bots[plan.name] = {
      openclaw: { root, entry: join(root, pin.entry) },
      natives: found,
      rendered: renderConfig(plan, SERVICE_INSIDE, pin),
      commands: findCommands(plan.commands, plan.name, machine.commands[plan.name] ?? []),
      cas: cas[plan.name] ?? {},
    };
  }
  const mintCas = readMintCas(loaded);
  const { plan } = loaded;
  const created = new Date(0).toISOString();
  const declaration = machine.nixos ? "/etc/seawall/seawall.json5" : loaded.file;
  return { number: 0, created, declaration, plan, programs, bots, mintCas };
}

/** @throws HostError `cannot-serve` for a bot whose browser the machine lacks. */
function describedBrowser(plan: Plan, { browser }: MachineDescription): Pick<Programs, "browser"> {
  const [bot] = browserBots(plan);
  if (bot === undefined) return {};
  const { chromium, program } = browser ?? { chromium: "", program: "" };
  for (const path of [chromium, join(program, "package.json")])
    if (!existsSync(path))
      throw new HostError("cannot-serve", `the machine has no browser for bot "${bot}"`, {
        ...(browser === undefined ? {} : { where: path }),
        hint: "describe it in the machine's \"browser\": Chromium's own program, not the script before it",
      });
  return { browser: { chromium, program } };
}

/** Everything of a generation that is no secret and not the machine's own to make, as files. */
export function describedFiles(
  generation: Generation,
  machine: MachineDescription,
  files: (programs: readonly string[]) => ProgramFiles = programFiles,
): readonly TargetFile[] {
  const input = systemInput(generation, describedSystem(machine), describedPlace(machine, files), {
    agents: describedAgents(generation, machine),
  });
  const rendered = systemdTarget.render({
    ...input,
    bots: withInstall(input.bots, generation, machine),
  });
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const own = [
    targetFile(GENERATION_FILE, json(generation)),
    targetFile(MACHINE_FILE, json(machine)),
  ];
  const units = machine.nixos ? nixosUnits(rendered, generation.plan) : rendered;
  return [...units, ...own].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Nobody switches there, so each bot that has plugins gets a unit that installs them. */
function withInstall(
  bots: SystemdInput["bots"],
  { plan }: Generation,
  machine: MachineDescription,
): SystemdInput["bots"] {
  const { project, programs } = machine;
  const install: SystemdInstall = {
    command: [programs.node, join(project, "src/host/described/installMain.ts")],
    environment: describedEnvironment(machine),
    writes: dirname(machine.paths.state),
  };
  const having = new Set(
    plan.bots.flatMap(({ name, openclaw }) => (openclaw.plugins.length > 0 ? [name] : [])),
  );
  return Object.fromEntries(
    Object.entries(bots).map(([name, bot]) => [name, having.has(name) ? { ...bot, install } : bot]),
  );
}

/** By what its agents are synchronized; which there are is kept there, and told by nobody's configuration. */
function describedAgents({ declaration }: Generation, machine: MachineDescription): SystemdAgents {
  return { declaration, environment: describedEnvironment(machine) };
}

/** What the command line's programs are told there. */
function describedEnvironment({
  project,
  programs: { node },
  paths,
  tools,
}: MachineDescription): Readonly<Record<string, string>> {
  const state = dirname(paths.state);
  const store = join(state, "store");
  return commandEnvironment({ project, node, state, store, tools });
}

/** Where our code is on that machine, and what its brokers and bots use of the system. */
export function describedPlace(
  { project, cache, system, programs, browser }: MachineDescription,
  files: (programs: readonly string[]) => ProgramFiles = programFiles,
): CodePlace {
  const { node } = programs;
  const used = (bot: BotGeneration): ProgramFiles => {
    const commands = bot.commands.map(({ path }) => path);
    const runs = commands.length > 0 ? [...commands, programs.shell] : [];
    return atOwnPlaces(files([node, ...runs]), runs);
  };
  const pages: BrowserSystem | undefined = browser && {
    files: browserFiles(node, browser.chromium, files),
    fonts: [
      { kind: "read", from: browser.fonts, to: browser.fonts },
      { kind: "read", from: join(browser.fonts, "fonts.conf"), to: "/etc/fonts/fonts.conf" },
    ],
  };
  return { project, cache, system, files: used, ...(pages && { browser: pages }) };
}

/** Scripts in the Nix store name their interpreter by its place there, so a granted one is there, too. */
function atOwnPlaces(files: ProgramFiles, programs: readonly string[]): ProgramFiles {
  const own = programs.filter((path) => path.startsWith("/nix/store/"));
  return {
    ...files,
    mounts: [
      ...files.mounts,
      ...own.map((path): Mount => ({ kind: "read", from: path, to: path })),
    ],
    execute: [...files.execute, ...own],
  };
}
