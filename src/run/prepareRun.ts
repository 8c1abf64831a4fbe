import { realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  emptyProfile,
  loadProfile,
  makePolicy,
  mergeProfiles,
  profileFolder,
  type LoadedProfile,
  type Place,
  type Policy,
} from "../profiles/index.ts";
import type { WallSpec } from "../wall/index.ts";
import { findProgram, type Program } from "./findProgram.ts";
import { checkGrantable, layOut, type Layout } from "./layOut.ts";
import { checkOwnFolders, keptOfOwn, type OwnFolders } from "./ownFolders.ts";
import { protectedByDefault } from "./protectedByDefault.ts";
import { RunError } from "./RunError.ts";
import type { RunRequest } from "./RunRequest.ts";
import { NO_NETWORK, runSpec, type RunNetwork } from "./runSpec.ts";

export interface PrepareOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether folders that a profile creates are made. */
  readonly make: boolean;
  /** Whether the command has a terminal to itself. */
  readonly terminal: boolean;
  readonly own: OwnFolders;
}

/** One command with its profile told for this user, host and folder. Nothing runs yet. */
export interface PreparedRun {
  readonly request: RunRequest;
  readonly loaded: LoadedProfile;
  readonly policy: Policy;
  readonly layout: Layout;
  readonly program: Program;
  readonly searchPath: string;
  /** Whether anything outside is granted, so that a broker has to answer. */
  readonly needsBroker: boolean;
  /** The wall, given what its programs load (`loadedCode`) and what its network is. */
  readonly spec: (code: readonly string[], network?: RunNetwork) => WallSpec;
}

/**
 * From a profile and flags to a wall: profile -> policy -> layout -> WallSpec. `spec(code)` is without
 * network; with one, give it what the broker's side has made of the grants (`startRunBroker`).
 *
 * @throws ProfileError, RunError, DeclarationError
 */
export async function prepareRun(
  request: RunRequest,
  { env, make, terminal, own }: PrepareOptions,
): Promise<PreparedRun> {
  const workdir = folderAt(request.workdir);
  const home = resolve(env["HOME"] ?? "/");
  const place: Place = { home, workdir, uid: process.getuid?.() ?? 0, env };
  const loaded = await loadFor(request, env);
  const policy = makePolicy(loaded.profile, place);
  const searchPath = env["PATH"] ?? "";
  const [name, ...args] = request.command;
  const program = findProgram(name, searchPath, workdir);
  if (program === undefined) throw noCommand(name);
  const interpreter = interpreterOf(program, searchPath, workdir);
  checkGrantable(policy.paths);
  const allOwn = { ...own, config: dirname(profileFolder(env)) };
  checkOwnFolders(policy, allOwn);
  const exceptions = [...keptOfOwn(policy, allOwn), ...(await protectedByDefault(policy, home))];
  const layout = layOut({ policy, exceptions, program, searchPath, workdir, make });
  return {
    request: { ...request, workdir },
    loaded,
    policy,
    layout,
    program,
    searchPath,
    needsBroker: needsBroker(policy),
    spec: (code, network = NO_NETWORK) => ({
      ...runSpec({ policy, layout, program, args, workdir, home, env, interpreter, network, code }),
      ...(terminal ? { terminal } : {}),
    }),
  };
}

async function loadFor(
  { profile, flags }: RunRequest,
  env: PrepareOptions["env"],
): Promise<LoadedProfile> {
  const { profile: base, chain } =
    profile === undefined
      ? { profile: emptyProfile("none"), chain: [] }
      : await loadProfile(profile, profileFolder(env));
  return { profile: mergeProfiles(base, flags), chain };
}

function needsBroker({ network, environmentCredentials }: Policy): boolean {
  if (network.block?.value === true) return false;
  return (
    network.allowDomain.length > 0 ||
    network.credentials.length > 0 ||
    network.listenPort.length > 0 ||
    environmentCredentials.length > 0
  );
}

function folderAt(path: string): string {
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch {
    // Said below.
  }
  throw new RunError("no-path", `the working folder "${path}" is not there`, {
    hint: "name another one with --workdir",
  });
}

function interpreterOf(program: Program, path: string, workdir: string): Program | undefined {
  if (program.interpreter === undefined) return undefined;
  const [name] = program.interpreter;
  const found = findProgram(name, path, workdir);
  if (found !== undefined && found.interpreter === undefined) return found;
  throw new RunError(
    "no-command",
    `"${program.path}" is a script for "${name}", which is not here`,
    {
      hint: "install it, or look at your PATH",
    },
  );
}

function noCommand(name: string): RunError {
  const there = name.includes("/") && statSync(name, { throwIfNoEntry: false }) !== undefined;
  if (there)
    return new RunError("not-executable", `"${name}" can't be executed`, {
      hint: `type: chmod +x ${name}; a folder is no command`,
    });
  return new RunError("no-command", `there is no command "${name.slice(0, 80)}" on this host`, {
    hint: "look at its name and at your PATH",
  });
}
