import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { userInfo } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { BrokerConfig } from "../broker/index.ts";
import type { SecretSource } from "../plan/index.ts";
import {
  PRIVATE_ADDON,
  watchedPaths,
  type StoreOrder,
  type StoreRequest,
  type StoreResult,
  type StoreSettings,
} from "../secrets/index.ts";
import {
  compileWall,
  startWalled,
  WallError,
  type CompiledWall,
  type Concession,
  type HostCapabilities,
} from "../wall/index.ts";
import type { Programs } from "./Generation.ts";
import { libraryFolders } from "./libraries.ts";
import { ownProcessSpec } from "./ownProcess.ts";
import type { StatePaths } from "../paths/index.ts";
import { brokerCache, STORE_MAIN } from "./warmBroker.ts";

/** Longer than any store takes: a command has a minute, and several may be asked one after the other. */
const LIMIT_MS = 300_000;

/** What reading stores for the broker takes. */
export interface StoreContext {
  readonly programs: Programs;
  readonly paths: StatePaths;
  readonly capabilities: HostCapabilities;
  readonly config: BrokerConfig;
  /** As for the broker: without Landlock nothing is read unless that is conceded. */
  readonly concessions: readonly Concession[];
}

/**
 * Has secrets read by a process that does nothing else: it starts, reads, seals the values to the
 * broker and ends. This process only carries what it can't open (invariant 1).
 *
 * What only takes reading files is read behind a wall that shows those files and can't start, write
 * or reach anything. A program or the desktop's keyring can't be had from behind one: for these the
 * process has a bare environment and no wall, and the broker gets no more than the declaration says.
 *
 * @returns in the order of the sources. Never rejects.
 */
export async function readStores(
  request: StoreRequest,
  context: StoreContext,
  launcher: string,
): Promise<StoreResult[]> {
  const results = request.sources.map(failed);
  const wanted = request.sources.map((source, index) => ({ source, index }));
  // A broker that was taken over must not choose what is executed here, or which file is read.
  const declared = wanted.filter(({ source }) =>
    context.config.secrets.some((secret) => isDeepStrictEqual(secret.source, source)),
  );
  const walled = declared.filter(({ source }) => isFiles(source));
  const open = declared.filter(({ source }) => !isFiles(source));
  const read = async (
    part: typeof wanted,
    start: (order: StoreOrder) => Promise<readonly StoreResult[]>,
  ): Promise<void> => {
    if (part.length === 0) return;
    const sources = part.map(({ source }) => source);
    const settings = storeSettings(context);
    const answers = await start({ sources, key: request.key, settings });
    for (const [position, { index }] of part.entries())
      results[index] = answers[position] ?? failed();
  };
  await Promise.all([
    read(walled, (order) => readWalled(order, context, launcher)),
    read(open, (order) => readOpen(order, context)),
  ]);
  return results;
}

/** Whether reading a source takes nothing but files. */
function isFiles(source: SecretSource): boolean {
  switch (source.store) {
    case "vault":
    case "file":
      return true;
    case "age":
    case "sops":
      return source.passphrase === undefined || isFiles(source.passphrase);
    case "credential":
      return source.path === undefined;
    case "keyring":
    case "exec":
    case "env":
      return false;
    default:
      return source satisfies never;
  }
}

function storeSettings({ config, paths }: StoreContext): StoreSettings {
  return {
    vault: config.vault,
    ...(config.credentials === undefined ? {} : { credentials: config.credentials }),
    // What a bot's wall shows of the host's files (botWall.ts).
    botReadable: [paths.bots, paths.store, ...libraryFolders()],
  };
}

async function readWalled(
  order: StoreOrder,
  { programs, paths, capabilities, concessions }: StoreContext,
  launcher: string,
): Promise<readonly StoreResult[]> {
  const files = order.sources.flatMap((source) => watchedPaths(source, order.settings));
  const spec = ownProcessSpec({
    hostname: "stores",
    node: programs.node,
    main: STORE_MAIN,
    cache: brokerCache(paths.store),
    readable: [PRIVATE_ADDON, ...libraryFolders(), "/etc/ssl", ...files.flatMap(realPath)].filter(
      (path) => existsSync(path),
    ),
    concessions,
  });
  let wall: CompiledWall;
  try {
    wall = compileWall(spec, capabilities);
  } catch (error) {
    if (!(error instanceof WallError)) throw error;
    return order.sources.map(() => unwalled(error));
  }
  const answer = Promise.withResolvers<readonly StoreResult[]>();
  const running = startWalled(wall, {
    launcher,
    stdout: "pipe",
    stderr: "pipe",
    onMessage: (message) => {
      if (isStarted(message)) running.send(order);
      else if (Array.isArray(message)) answer.resolve(message as StoreResult[]);
    },
  });
  // Nothing it may say is anybody's to read.
  running.stdout?.resume();
  running.stderr?.resume();
  const timer = setTimeout(() => running.kill("SIGKILL"), LIMIT_MS);
  const results = await Promise.race([answer.promise, running.exited.then(() => [])]);
  await running.exited;
  clearTimeout(timer);
  return results;
}

async function readOpen(
  order: StoreOrder,
  { programs, paths }: StoreContext,
): Promise<readonly StoreResult[]> {
  const answer = Promise.withResolvers<readonly StoreResult[]>();
  const child = spawn(programs.node, [STORE_MAIN], {
    cwd: "/",
    env: bareEnvironment(paths),
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    detached: true,
  });
  child.on("message", (message) => {
    if (isStarted(message)) child.send(order, () => undefined);
    else if (Array.isArray(message)) answer.resolve(message as StoreResult[]);
  });
  const gone = Promise.withResolvers<void>();
  child.once("error", () => gone.resolve());
  child.once("exit", () => gone.resolve());
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const results = await Promise.race([answer.promise, gone.promise.then(() => [])]);
  await gone.promise;
  clearTimeout(timer);
  return results;
}

/** What password managers need to find their own, and nothing that might hold another secret. */
function bareEnvironment(paths: StatePaths): Record<string, string> {
  const { username, homedir } = userInfo();
  const runtime = process.env["XDG_RUNTIME_DIR"] ?? `/run/user/${process.getuid?.() ?? 0}`;
  const bus = process.env["DBUS_SESSION_BUS_ADDRESS"];
  return {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: homedir,
    USER: username,
    LOGNAME: username,
    LANG: "C.UTF-8",
    XDG_RUNTIME_DIR: runtime,
    NODE_COMPILE_CACHE: brokerCache(paths.store),
    ...(bus === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: bus }),
  };
}

/** Where a path leads now, for the wall's rules; nothing when it leads nowhere. */
function realPath(path: string): string[] {
  try {
    return [realpathSync(path)];
  } catch {
    return [];
  }
}

function isStarted(message: unknown): boolean {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    message.type === "started"
  );
}

function failed(): StoreResult {
  return {
    code: "helper",
    message: "the process that reads secrets from their stores came to nothing",
    hint: "look at: seawall logs --supervisor",
  };
}

function unwalled({ message, hint }: WallError): StoreResult {
  return {
    code: "helper",
    message: `what reads secrets from their stores can't be walled: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}
