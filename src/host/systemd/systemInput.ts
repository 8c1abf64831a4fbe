import type { SystemdBot, SystemdInput, SystemdSystem } from "../../targets/index.ts";
import { botFolder, botUnits, privateFolder, socketCount } from "../../targets/index.ts";
import { bridgeInput } from "./bridgeInput.ts";
import { browserInput } from "./browserInput.ts";
import { usedSecrets, type BotPlan, type Plan } from "../../plan/index.ts";
import type { BrowserSystem } from "../../services/index.ts";
import type { Mount, ProgramFiles, WallSpec } from "../../wall/index.ts";
import { agentsFolder } from "../agentsFolder.ts";
import { botWall, type BotWallInput } from "../botWall.ts";
import { phantomVariables } from "../brokerConfig.ts";
import { brokerSpec } from "../brokerWall.ts";
import type { BotGeneration, Generation, Programs } from "../Generation.ts";
import { activationVariables } from "./activationVariables.ts";
import { HostError } from "../HostError.ts";
import { SERVICE_INSIDE } from "../inside.ts";
import { refuseContainers } from "./refuseContainers.ts";
import { enforceablePolicies } from "../toolPolicies.ts";

/** Where our code and the system's libraries are. */
export interface CodePlace {
  readonly project: string;
  /** Compiled code of the broker's. */
  readonly cache: string;
  /** What the bots' programs use; found on this host where left out. */
  readonly files?: ProgramFiles | ((bot: BotGeneration) => ProgramFiles);
  /** What browsers use; found on this host where left out. */
  readonly browser?: BrowserSystem;
  /** What the broker reads of the system: libraries, name resolution; this host's where left out. */
  readonly system?: readonly string[];
}

/** What the systemd target prints a prepared deployment from. Pure but for the host's library folders. */
export function systemInput(
  content: Pick<Generation, "plan" | "programs" | "bots">,
  system: SystemdSystem,
  place: CodePlace,
  more: Pick<SystemdInput, "update" | "agents" | "bridge"> = {},
): SystemdInput {
  const { plan, programs } = content;
  refuseContainers(plan);
  const bots = plan.bots.map((bot): [string, SystemdBot] => {
    const rest = content.bots[bot.name];
    if (rest === undefined)
      throw new HostError("damaged-state", `bot "${bot.name}" isn't prepared`);
    const files = typeof place.files === "function" ? place.files(rest) : place.files;
    const { spec: gateway, policies } = gatewayOf(bot, rest, programs, system, files);
    const browser = browserInput(bot, programs, system, place);
    return [
      bot.name,
      {
        gateway,
        policies,
        broker: brokerServiceSpec(plan, bot, programs, system, place),
        ...(browser === undefined ? {} : { browser }),
      },
    ];
  });
  const bridge = bridgeInput(plan, plan, programs, system, place);
  return {
    plan,
    bots: Object.fromEntries(bots),
    system,
    ...(bridge === undefined ? {} : { bridge }),
    ...more,
  };
}

/**
 * The bot's wall as `seawall up` has it, with what only this machine knows mounted instead; and the walls that
 * its agents' tools have within.
 */
export function gatewayOf(
  plan: BotPlan,
  bot: BotGeneration,
  programs: Programs,
  { paths, host }: SystemdSystem,
  files?: ProgramFiles,
): { readonly spec: WallSpec; readonly policies: Readonly<Record<string, Uint8Array>> } {
  const home = `${paths.state}/bots/${plan.name}`;
  const input: BotWallInput = {
    plan,
    bot,
    programs,
    home,
    trust: "",
    variables: {},
    ...(files === undefined ? {} : { files }),
    inside: SERVICE_INSIDE,
    agents: agentsFolder(paths.state, plan.name),
    // A unit's processes are counted together.
    boundsMemory: true,
  };
  const policies = enforceablePolicies(input, host);
  const names = policies.map(([name]) => name);
  const spec = botWall({
    ...input,
    policies: { folder: `${paths.generation}/${botFolder(plan.name)}`, names },
  });
  const machine: Readonly<Record<string, string>> = {
    [SERVICE_INSIDE.caBundle]: `${privateFolder(paths)}/trust.pem`,
    "/etc/passwd": `${privateFolder(paths)}/${plan.name}/passwd`,
    "/etc/group": `${privateFolder(paths)}/${plan.name}/group`,
  };
  // Made by systemd; the folder is a unit's to show.
  const { dial: _door, socket, ...network } = spec.network;
  const service: WallSpec = {
    ...spec,
    environment: { ...spec.environment, ...PORTABLE_FILES },
    mounts: spec.mounts.map((mount): Mount => {
      const commands = socket?.folder === mount.to;
      const from = commands ? `${paths.runtime}/${plan.name}/command` : machine[mount.to];
      return from === undefined ? mount : { kind: "read", from, to: mount.to };
    }),
    network,
    service: {
      sockets: 0,
      environment: [...new Set([...bot.rendered.variables, ...phantomVariables(plan)])],
      notifies: false,
      unixSockets: false,
    },
  };
  return { spec: service, policies: Object.fromEntries(policies) };
}

/**
 * `RestrictSUIDSGID=` can't look into openat2(2)'s arguments, so it answers ENOSYS (systemd 252,
 * src/shared/seccomp-util.c), and OpenClaw's native file access doesn't start without. Its portable
 * one does (measured with 2026.9.6).
 */
const PORTABLE_FILES = { FS_SAFE_NATIVE_MODE: "off" } as const;

function brokerServiceSpec(
  plan: Plan,
  bot: BotPlan,
  { node }: Programs,
  { paths, host, prefix }: SystemdSystem,
  { project, cache, system }: CodePlace,
): WallSpec {
  const secrets = usedSecrets(plan, bot).secrets.length > 0;
  const spec = brokerSpec({
    node,
    project,
    main: "src/broker/service/main.ts",
    cache,
    ...(system === undefined ? {} : { system }),
    readable: [
      `${paths.runtime}/${bot.name}/broker.json`,
      ...(secrets ? [`/run/credentials/${botUnits(bot.name, prefix).broker}`] : []),
    ],
    audit: `${paths.state}/audit/${bot.name}`,
    bind: [],
    concessions: bot.concessions,
  });
  return {
    ...spec,
    service: {
      sockets: socketCount(plan, bot, host.ipv6),
      environment: activationVariables("CREDENTIALS_DIRECTORY", "SEAWALL_BROKER_CONFIG"),
      notifies: true,
      // Its unit shows it one only: the door to its gateway.
      unixSockets: true,
    },
  };
}
