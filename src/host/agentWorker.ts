import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { catalogue } from "../catalogue/index.ts";
import type { DeclaredGrant } from "../declaration/index.ts";
import { planRun, type SecretSource } from "../plan/index.ts";
import { compileWall, startWalled, type Mount } from "../wall/index.ts";
import type { StatePaths } from "../paths/index.ts";
import { systemFiles } from "./botWall.ts";
import { findGit } from "./findCommand.ts";
import { HostError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";
import { readCas, readMintCas, type LoadedDeclaration } from "./loadDeclaration.ts";
import { resolveSource } from "./resolveSecrets.ts";
import { NAME, startBroker, type BrokerSide } from "./run/startRunNetwork.ts";
import { closeHandle, listenerOf, type LaunchMessage } from "./supervisor/launchMessages.ts";
import type { HeldListener } from "./supervisor/BrokerProcess.ts";
import { toolWall, type WalledTool } from "./toolWall.ts";

const DNS_PORT = 53;
const TMP_BYTES = 512 * 1024 * 1024;
const LONGEST_ANSWER = 16 * 1024 * 1024;
/** Where it is inside. */
const GIT = "/usr/bin/git";

/** Starts programs of ours in walls whose network is a broker of their own, as a bot's is. */
export interface AgentWorker extends AsyncDisposable {
  /** What the program printed. @throws WallError, HostError */
  run(options: {
    readonly job: unknown;
    readonly mounts: readonly Mount[];
    readonly uid: number | undefined;
  }): Promise<string>;
}

/**
 * @param grants what may be called, as the declaration would have it for a bot: by name. Their secrets are
 *   the broker's alone; the programs hold phantoms. None: the programs have no network.
 */
export function agentWorker(options: {
  readonly loaded: LoadedDeclaration;
  readonly bot: string;
  readonly grants: Readonly<Record<string, DeclaredGrant>>;
  readonly paths: StatePaths;
  readonly tool: WalledTool;
  readonly main: string;
  readonly askPassphrase: () => Promise<string>;
}): AgentWorker {
  const { tool, main, grants } = options;
  const held: HeldListener[] = [];
  let broker: Promise<BrokerSide> | undefined;
  const needed = Object.keys(grants).length > 0;
  const planned = needed ? planOf(options) : undefined;
  return {
    async run({ job, mounts, uid }) {
      const side =
        planned === undefined
          ? undefined
          : await (broker ??= startBroker(planned, options.paths, held, options, undefined));
      const shell = existsSync("/bin/sh") ? [{ from: "/bin/sh", to: "/usr/bin/sh" }] : [];
      const wall = compileWall(
        toolWall({
          tool,
          hostname: "agent",
          main,
          job,
          programs: [{ from: requireGit(), to: GIT }, ...shell],
          mounts: [
            { kind: "link", to: "/bin", target: "usr/bin" },
            ...systemFiles(side?.trust ?? "", INSIDE).map(([to, text]): Mount => ({
              kind: "file",
              to,
              text,
            })),
            ...mounts,
          ],
          scratch: TMP_BYTES,
          environment: {
            TMPDIR: "/tmp",
            ...side?.environment,
            GIT_SSL_CAINFO: INSIDE.caBundle,
            NODE_EXTRA_CA_CERTS: INSIDE.caBundle,
          },
          network: {
            tcp: planned?.plan.ports ?? [],
            udp: planned === undefined ? [] : [DNS_PORT],
            bind: [],
          },
          limits: { memory: 2 * 1024 ** 3, processes: 512 },
        }),
        tool.capabilities,
      );
      const mine: HeldListener[] = [];
      const running = startWalled(wall, {
        launcher: tool.launcher,
        bwrap: tool.capabilities.bubblewrap?.path ?? "bwrap",
        ...(uid === undefined ? {} : { uid, gid: uid }),
        stdout: "pipe",
        stderr: "pipe",
        onMessage: (message, handle) => {
          const said = message as LaunchMessage;
          if (said.type !== "listener") return;
          const listener: HeldListener = { message: listenerOf(said, { name: NAME }), handle };
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
      await running.inner();
      await running.exited;
      side?.process.drop(NAME);
      for (const listener of mine) {
        closeHandle(listener.handle);
        held.splice(held.indexOf(listener), 1);
      }
      return parts.join("");
    },
    async [Symbol.asyncDispose]() {
      const side = await broker?.catch(() => undefined);
      await side?.stop();
    },
  };
}

function requireGit(): string {
  const git = findGit();
  if (git !== undefined) return git;
  throw new HostError("no-command", "this host has no git", { hint: "install git" });
}

function planOf(options: {
  readonly loaded: LoadedDeclaration;
  readonly bot: string;
  readonly grants: Readonly<Record<string, DeclaredGrant>>;
}): Parameters<typeof startBroker>[0] {
  const { loaded, bot, grants } = options;
  const { services, secrets } = loaded.declaration;
  const { plan, faults } = planRun(grants, { services, secrets }, { catalogue });
  if (plan === undefined) {
    throw loaded.refuse(faults.map((fault) => ({ ...fault, path: ["bots", bot, ...fault.path] })));
  }
  const folder = dirname(loaded.file);
  return {
    plan,
    secrets: plan.secrets.map(({ name, source }) => ({
      name,
      source: handedOver(resolveSource(source, folder)),
    })),
    mintCas: readMintCas(loaded, plan.minted),
    cas: readCas(loaded)[bot] ?? {},
  };
}

/**
 * A credential that systemd hands to a bot's broker is opened from its file for this one, which no unit is: only
 * root can (systemd-creds(1)), and the place is that of `deliverSecret`.
 */
function handedOver(source: SecretSource): SecretSource {
  if (source.store !== "credential" || source.path !== undefined || process.getuid?.() !== 0)
    return source;
  const path = `/etc/credstore.encrypted/${source.name}`;
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
