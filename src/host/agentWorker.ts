import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { catalogue } from "../catalogue/index.ts";
import type { DeclaredGrant } from "../declaration/index.ts";
import { planRun, type RunPlan, type SecretPlan, type SecretSource } from "../plan/index.ts";
import type { Mount, ProgramFiles } from "../wall/index.ts";
import { encryptedCredential } from "../targets/index.ts";
import type { StatePaths } from "../paths/index.ts";
import { systemFiles } from "./botWall.ts";
import { compiledProgram, type CompiledProgram } from "./compiledProgram.ts";
import { findGit } from "./findCommand.ts";
import { HostError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";
import { readCas, readMintCas, type LoadedDeclaration } from "./loadDeclaration.ts";
import { resolveSource } from "./resolveSecrets.ts";
import { NAME, SECOND_NAME, startBroker, type BrokerSide } from "./run/startRunNetwork.ts";
import { closeHandle, listenerOf, type LaunchMessage } from "./supervisor/launchMessages.ts";
import type { HeldListener } from "./supervisor/BrokerProcess.ts";
import { startTool, toolFiles, toolWall, type WalledTool } from "./toolWall.ts";

const DNS_PORT = 53;
const TMP_BYTES = 512 * 1024 * 1024;
const LONGEST_ANSWER = 16 * 1024 * 1024;
/** Where it is inside. */
const GIT = "/usr/bin/git";

/** Starts programs of ours in walls whose network is a broker of their own, as a bot's is. */
export interface AgentWorker {
  /** What the program printed. @throws WallError, HostError */
  run(options: {
    readonly job: unknown;
    readonly mounts: readonly Mount[];
    readonly uid: number | undefined;
    /** It has no network, whatever may be called from there. */
    readonly offline?: boolean;
  }): Promise<string>;
}

/** Which network a program has. */
export type WorkerNetwork = "api" | "git";

export type AgentWorkers = Readonly<Record<WorkerNetwork, AgentWorker>> & AsyncDisposable;

type Grants = Readonly<Record<string, DeclaredGrant>>;

interface WorkerOptions {
  readonly loaded: LoadedDeclaration;
  readonly bot: string;
  readonly paths: StatePaths;
  readonly tool: WalledTool;
  readonly main: string;
  /** With which it can be started to no effect, so that its code is compiled. */
  readonly idle: unknown;
  readonly askPassphrase: () => Promise<string>;
}

/**
 * One broker answers both networks, started when the first of them is needed; from each it takes only what that
 * one may call, as it does with two bots.
 *
 * @param options.grants what may be called, as the declaration would have it for a bot: by name. Their secrets are
 *   the broker's alone; the programs hold phantoms. None: the programs have no network.
 */
export function agentWorkers(
  options: WorkerOptions & { readonly grants: Readonly<Record<WorkerNetwork, Grants>> },
): AgentWorkers {
  const { grants } = options;
  const held: HeldListener[] = [];
  const plans = { api: planOf(options, grants.api), git: planOf(options, grants.git) };
  let broker: Promise<BrokerSide> | undefined;
  const side = (): Promise<BrokerSide> =>
    (broker ??= startBroker(brokerPlan(options, plans), options.paths, held, options, undefined));
  const programs = [
    { from: requireGit(), to: GIT },
    ...(existsSync("/bin/sh") ? [{ from: "/bin/sh", to: "/usr/bin/sh" }] : []),
  ];
  const files = toolFiles(options.tool, programs);
  const compiled = compiledProgram(options, files);
  const worker = (network: WorkerNetwork, name: string): AgentWorker => ({
    async run({ job, mounts, uid, offline = false }) {
      const plan = offline ? undefined : plans[network];
      const answering = plan === undefined ? undefined : await side();
      const environment =
        name === NAME ? answering?.environment : (answering?.secondEnvironment ?? {});
      return runOne({
        ...options,
        job,
        uid,
        held,
        name,
        plan,
        programs,
        files,
        mounts,
        side: answering,
        environment: environment ?? {},
        compiled: await compiled,
      });
    },
  });
  return {
    api: worker("api", NAME),
    git: worker("git", SECOND_NAME),
    async [Symbol.asyncDispose]() {
      await compiled.catch(() => undefined);
      const started = await broker?.catch(() => undefined);
      await started?.stop();
    },
  };
}

async function runOne(
  options: Pick<WorkerOptions, "tool" | "main"> & {
    readonly job: unknown;
    readonly uid: number | undefined;
    readonly held: HeldListener[];
    readonly name: string;
    readonly plan: RunPlan | undefined;
    readonly side: BrokerSide | undefined;
    readonly environment: Readonly<Record<string, string>>;
    readonly programs: readonly { readonly from: string; readonly to: string }[];
    readonly files: ProgramFiles;
    readonly mounts: readonly Mount[];
    readonly compiled: CompiledProgram;
  },
): Promise<string> {
  const { tool, main, job, programs, files, plan, side, compiled, held, name, uid } = options;
  const spec = toolWall({
    tool,
    hostname: "agent",
    main,
    job,
    programs,
    files,
    mounts: [
      { kind: "link", to: "/bin", target: "usr/bin" },
      ...systemFiles(side?.trust ?? "", INSIDE).map(([to, text]): Mount => ({
        kind: "file",
        to,
        text,
      })),
      ...compiled.mounts,
      ...options.mounts,
    ],
    scratch: TMP_BYTES,
    environment: {
      TMPDIR: "/tmp",
      ...options.environment,
      ...compiled.environment,
      GIT_SSL_CAINFO: INSIDE.caBundle,
      NODE_EXTRA_CA_CERTS: INSIDE.caBundle,
    },
    network: {
      tcp: plan?.ports ?? [],
      udp: plan === undefined ? [] : [DNS_PORT],
      bind: [],
    },
    limits: { memory: 2 * 1024 ** 3, processes: 512 },
  });
  const mine: HeldListener[] = [];
  const running = startTool(tool, spec, {
    uid,
    onMessage: (message, handle) => {
      const said = message as LaunchMessage;
      if (said.type !== "listener") return;
      const listener: HeldListener = { message: listenerOf(said, { name }), handle };
      mine.push(listener);
      held.push(listener);
      side?.process.giveListener(listener);
    },
  });
  const parts: string[] = [];
  let size = 0;
  running.stderr?.resume();
  running.stdout?.setEncoding("utf8").on("data", (text: string) => {
    size += text.length;
    if (size > LONGEST_ANSWER) running.kill("SIGKILL");
    else parts.push(text);
  });
  await running.walled();
  await running.exited;
  side?.process.drop(name);
  for (const listener of mine) {
    closeHandle(listener.handle);
    held.splice(held.indexOf(listener), 1);
  }
  return parts.join("");
}

function requireGit(): string {
  const git = findGit();
  if (git !== undefined) return git;
  throw new HostError("no-command", "this host has no git", { hint: "install git" });
}

function planOf(
  { loaded, bot }: Pick<WorkerOptions, "loaded" | "bot">,
  grants: Grants,
): RunPlan | undefined {
  if (Object.keys(grants).length === 0) return undefined;
  const { services, secrets } = loaded.declaration;
  const { plan, faults } = planRun(grants, { services, secrets }, { catalogue });
  if (plan !== undefined) return plan;
  throw loaded.refuse(faults.map((fault) => ({ ...fault, path: ["bots", bot, ...fault.path] })));
}

const NOTHING: RunPlan = { grants: [], ports: [], environment: [], secrets: [] };

function brokerPlan(
  { loaded, bot }: Pick<WorkerOptions, "loaded" | "bot">,
  { api = NOTHING, git = NOTHING }: Readonly<Record<WorkerNetwork, RunPlan | undefined>>,
): Parameters<typeof startBroker>[0] {
  const folder = dirname(loaded.file);
  const secrets = new Map<string, SecretPlan>();
  for (const { name, source } of [...api.secrets, ...git.secrets])
    secrets.set(name, { name, source: handedOver(resolveSource(source, folder)) });
  return {
    plan: api,
    second: git,
    secrets: [...secrets.values()],
    mintCas: readMintCas(loaded, [...(api.minted ?? []), ...(git.minted ?? [])]),
    cas: readCas(loaded)[bot] ?? {},
  };
}

/**
 * A credential that systemd hands to a bot's broker is opened from its file for this one, which no unit is: only
 * root can (systemd-creds(1)).
 */
function handedOver(source: SecretSource): SecretSource {
  if (source.store !== "credential" || source.path !== undefined || process.getuid?.() !== 0)
    return source;
  const path = encryptedCredential(source.name);
  return existsSync(path) ? { ...source, path } : source;
}

/** A folder that is the bot's user's and out of its reach, since no wall of a bot shows it. */
export function makeAgentsOwn(path: string, uid: number | undefined): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  // Which of them were made begins with the first; a path that nothing begins with, where none was.
  const first = mkdirSync(parent, { recursive: true, mode: 0o711 }) ?? "//";
  // That user has to get there, whatever the umask.
  for (let made = parent; made.startsWith(first); made = dirname(made)) chmodSync(made, 0o711);
  mkdirSync(path, { mode: 0o700 });
  if (uid !== undefined) chownSync(path, uid, uid);
}
