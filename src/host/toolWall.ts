import {
  compileWall,
  programFiles,
  startWalled,
  type HostCapabilities,
  type Mount,
  type ProgramFiles,
  type ResourceLimits,
  type StartOptions,
  type WalledProcess,
  type WallSpec,
} from "../wall/index.ts";
import { BOT_IDENTITY, INSIDE } from "./inside.ts";

/** Where a program of ours lies inside its wall, and the job it is given. */
const PROGRAM_INSIDE = "/opt/seawall";
const JOB_INSIDE = "/etc/seawall/job.json";

/** What programs of ours need of this host to run inside a wall. */
export interface WalledTool {
  readonly node: string;
  readonly launcher: string;
  readonly folder: string;
  readonly capabilities: HostCapabilities;
}

/**
 * The wall of a program of ours that looks at what a bot wrote: it sees itself, its job, what is mounted and the
 * programs of the host that it may start.
 */
export function toolWall(options: {
  readonly tool: WalledTool;
  /** For people who look at a list of processes' hosts; nothing else. */
  readonly hostname: string;
  /** Node's own. */
  readonly flags?: readonly string[];
  /** Relative to the project. */
  readonly main: string;
  readonly job: unknown;
  readonly programs: readonly { readonly from: string; readonly to: string }[];
  readonly mounts: readonly Mount[];
  /** Bytes of /tmp. */
  readonly scratch: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** None where left out. */
  readonly network?: WallSpec["network"];
  readonly limits?: ResourceLimits;
  /** What these programs use, where it is known. */
  readonly files?: ProgramFiles;
}): WallSpec {
  const { tool, programs, job } = options;
  const files = options.files ?? toolFiles(tool, programs);
  return {
    command: [
      INSIDE.node,
      "--no-warnings",
      ...(options.flags ?? []),
      `${PROGRAM_INSIDE}/${options.main}`,
      JOB_INSIDE,
    ],
    cwd: "/",
    environment: {
      HOME: "/nonexistent",
      LANG: "C.UTF-8",
      PATH: "/usr/bin",
      TZ: "UTC",
      ...options.environment,
    },
    identity: BOT_IDENTITY,
    hostname: options.hostname,
    mounts: [
      { kind: "proc", to: "/proc" },
      { kind: "devices", to: "/dev" },
      { kind: "memory", to: "/tmp", size: options.scratch },
      ...files.mounts,
      { kind: "read", from: tool.node, to: INSIDE.node },
      { kind: "read", from: tool.folder, to: PROGRAM_INSIDE },
      { kind: "file", to: JOB_INSIDE, text: JSON.stringify(job) },
      ...programs.map(({ from, to }): Mount => ({ kind: "read", from, to })),
      ...options.mounts,
    ],
    network: options.network ?? { tcp: [], udp: [], bind: [] },
    execute: [...programs.map(({ to }) => to), ...files.execute],
    libraries: files.libraries,
    protect: [],
    limits: options.limits ?? {},
    processes: "any",
    namespaces: "own",
    concessions: [],
  };
}

/** What Node and these programs use of this host. Finding it starts each of them. */
export function toolFiles(
  tool: Pick<WalledTool, "node">,
  programs: readonly { readonly from: string }[],
): ProgramFiles {
  return programFiles([tool.node, ...programs.map(({ from }) => from)]);
}

/** Starts such a program; what it prints comes by pipes. */
export function startTool(
  { launcher, capabilities }: WalledTool,
  spec: WallSpec,
  options: { readonly uid?: number | undefined } & Partial<Pick<StartOptions, "onMessage">> = {},
): WalledProcess {
  const { uid, onMessage = () => undefined } = options;
  return startWalled(compileWall(spec, capabilities), {
    launcher,
    bwrap: capabilities.bubblewrap?.path ?? "bwrap",
    ...(uid === undefined ? {} : { uid, gid: uid }),
    stdout: "pipe",
    stderr: "pipe",
    onMessage,
  });
}
