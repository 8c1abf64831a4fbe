import { join, relative } from "node:path";
import {
  AGENTS,
  CONTAINERS_SOCKET,
  GATEWAY_PORT,
  hasToolWalls,
  SKILLS,
  TOOLS,
  TOOLS_LAUNCHER,
  type InsidePaths,
} from "../openclaw/index.ts";
import { clientCommands, type BotPlan } from "../plan/index.ts";
import {
  programFiles,
  type Mount,
  type ProgramFiles,
  type ResourceLimits,
  type WallSpec,
} from "../wall/index.ts";
import type { BotGeneration, Programs } from "./Generation.ts";
import { BOT_IDENTITY, COMMAND_SOCKET, INSIDE } from "./inside.ts";

const DNS_PORT = 53;
/** OpenClaw keeps locks and downloads there; more than this would be memory of the host's. */
const TMP_BYTES = 512 * 1024 * 1024;

/**
 * What a bot may use up unless its declaration says otherwise: more than twice what OpenClaw was seen
 * to need (1.8 GB, some thirty threads and a few helpers), and less than what hurts a machine.
 */
export const USUAL_LIMITS: ResourceLimits = {
  memory: 4 * 1024 ** 3,
  processes: 2048,
  openFiles: 16_384,
  fileSize: 16 * 1024 ** 3,
};

export interface BotWallInput {
  readonly plan: BotPlan;
  readonly bot: BotGeneration;
  readonly programs: Programs;
  /** The bot's own folder on the host, all of it that survives a restart. */
  readonly home: string;
  /** PEM text: public CAs and the deployment's own. */
  readonly trust: string;
  /** Phantoms and the gateway's token, by variable. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whether this host can bound what all of a bot's processes take of memory together. */
  readonly boundsMemory: boolean;
  /** Where things lie inside; `INSIDE` where left out. */
  readonly inside?: InsidePaths;
  /** The folder that `agentsFolder` names, for a bot that has agents. */
  readonly agents?: string;
  /** The folder with the policies of its agents' tools, and which there are (`toolPolicies`). */
  readonly policies?: { readonly folder: string; readonly names: readonly string[] };
  /** The folder with the socket of what keeps its agents' containers. */
  readonly containers?: string;
  /** What the programs use; found on this host where left out. */
  readonly files?: ProgramFiles;
}

/** What a bot sees and may do: its own folder, OpenClaw, its granted commands, and nothing else. */
export function botWall(input: BotWallInput): WallSpec {
  const { plan, bot, programs, home, trust, variables, boundsMemory, inside = INSIDE } = input;
  const clients = clientsOf(plan, programs);
  const runs = bot.commands.length > 0 || clients.length > 0;
  const shell = runs ? [{ name: "sh", path: programs.shell }] : [];
  const commands = [...bot.commands.filter(({ name }) => name !== "sh"), ...shell];
  // Library by library: of what else the host has there, nothing is visible.
  const files = input.files ?? programFiles([programs.node, ...commands.map(({ path }) => path)]);
  const file = (to: string, text: string): Mount => ({ kind: "file", to, text });
  const walls = hasToolWalls(plan, inside);
  return {
    command: bot.rendered.command,
    cwd: inside.home,
    environment: { ...bot.rendered.environment, ...variables },
    identity: BOT_IDENTITY,
    hostname: "bot",
    mounts: [
      { kind: "proc", to: "/proc" },
      { kind: "devices", to: "/dev" },
      { kind: "memory", to: "/tmp", size: TMP_BYTES },
      ...files.mounts,
      ...commands.map(({ name, path }): Mount => ({
        kind: "read",
        from: path,
        to: `${inside.commands}/${name}`,
      })),
      ...clients.map(({ name, path }): Mount => ({
        kind: "read",
        from: path,
        to: `${inside.commands}/${name}`,
      })),
      // The socket is put into it before anything runs, and then nothing more.
      ...(clients.length > 0
        ? [
            { kind: "memory", to: COMMAND_SOCKET.folder, size: 4096 } as const,
            // OpenClaw finds skills by listing this folder; of a folder that only holds mounts Landlock shows nothing.
            { kind: "sealed", to: `${inside.config}/${SKILLS}`, mode: 0o555 } as const,
          ]
        : []),
      // What starts agents' tools in walls of their own, and the plugin's folder, which OpenClaw lists.
      ...(walls
        ? [
            { kind: "read", from: programs.launcher, to: TOOLS_LAUNCHER } as const,
            { kind: "sealed", to: `${inside.config}/${TOOLS}`, mode: 0o555 } as const,
            // One by one: a unit's mount of a folder would be empty when its generation is removed.
            ...policyMounts(input),
          ]
        : []),
      { kind: "link", to: "/bin", target: "usr/bin" },
      { kind: "read", from: programs.node, to: inside.node },
      { kind: "read", from: bot.openclaw.root, to: inside.openclaw },
      ...systemFiles(trust, inside).map(([to, text]) => file(to, text)),
      ...bot.rendered.files.map(({ to, text }) => file(to, text)),
      // A folder, so that what is written into it later is seen; not below what the bot writes itself.
      ...(input.agents === undefined || plan.openclaw.agents === undefined
        ? []
        : [{ kind: "read", from: input.agents, to: join(inside.config, AGENTS) } as const]),
      { kind: "write", from: home, to: inside.home },
      // A folder, so that the socket of another keeper is seen when the first has ended.
      ...(input.containers === undefined
        ? []
        : [{ kind: "read", from: input.containers, to: CONTAINERS_SOCKET } as const]),
    ],
    network: {
      tcp: plan.ports,
      udp: [DNS_PORT],
      bind: [GATEWAY_PORT],
      dial: GATEWAY_PORT,
      ...(clients.length > 0 ? { socket: COMMAND_SOCKET } : {}),
    },
    execute: [
      inside.node,
      ...(walls ? [TOOLS_LAUNCHER] : []),
      ...[...commands, ...clients].map(({ name }) => `${inside.commands}/${name}`),
      ...files.execute,
    ],
    libraries: [...files.libraries, ...natives(bot, inside)],
    protect: [],
    limits: { ...usualLimits(boundsMemory), ...plan.resources },
    processes: "any",
    namespaces: "own",
    concessions: plan.concessions,
  };
}

function policyMounts({ policies, inside = INSIDE }: BotWallInput): readonly Mount[] {
  const { folder, names } = policies ?? { folder: "", names: [] };
  return names.map((name): Mount => ({
    kind: "read",
    from: join(folder, name),
    to: join(inside.config, TOOLS, name),
  }));
}

/** Client commands are one program under several names, each that of a grant. */
function clientsOf(plan: BotPlan, programs: Programs): { name: string; path: string }[] {
  const { client: path } = programs;
  return path === undefined
    ? []
    : clientCommands(plan).map(({ command: { name } }) => ({ name, path }));
}

/**
 * Memory only where it is counted for all processes together: by rlimit it would be the data of each,
 * mapped or used, and OpenClaw maps far more than it uses.
 */
export function usualLimits(boundsMemory: boolean): ResourceLimits {
  const { memory, ...others } = USUAL_LIMITS;
  return boundsMemory && memory !== undefined ? { ...others, memory } : others;
}

/** Native parts of OpenClaw's packages, as files inside; all else in there is data. */
function natives({ openclaw, natives }: BotGeneration, inside: InsidePaths): readonly string[] {
  if (natives === undefined) return [inside.openclaw];
  return natives.map((file) => join(inside.openclaw, relative(openclaw.root, file)));
}

/** The few files of /etc that the C library and Node read, the same in every wall. */
export function systemFiles(
  trust: string,
  inside: Pick<InsidePaths, "home" | "caBundle">,
): [path: string, text: string][] {
  const { uid, gid } = BOT_IDENTITY;
  return [
    [
      "/etc/passwd",
      `bot:x:${uid}:${gid}:bot:${inside.home}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
    ],
    ["/etc/group", `bot:x:${gid}:\nnogroup:x:65534:\n`],
    ["/etc/hosts", "127.0.0.1 localhost bot\n::1 localhost bot\n"],
    // Any address would do, as all are local; the broker answers at each.
    ["/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n"],
    ["/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"],
    [inside.caBundle, trust],
  ];
}
