import type { SeawallError } from "../faults/index.ts";
import {
  compileWall,
  probeHost,
  WallError,
  type HostCapabilities,
  type MechanismReport,
  type WallSpec,
} from "../wall/index.ts";
import { FIRST_UID, requireBotUsers } from "./botUsers.ts";
import { storeLauncher } from "./storeLauncher.ts";
import type { StatePaths } from "../paths/index.ts";

/** What this host can enforce, tried as the user that bots run as. */
export interface Examination {
  readonly mechanisms: readonly MechanismReport[];
  /** Why no bot can run here; absent if one can. */
  readonly refusal?: SeawallError;
}

/** Finds out what `seawall up` would find out, without a declaration. */
export async function examineHost(paths: StatePaths): Promise<Examination> {
  const capabilities = await probeAsBot(storeLauncher(paths.store));
  const { mechanisms } = capabilities;
  try {
    requireWall(capabilities, []);
    return { mechanisms };
  } catch (error) {
    if (!(error instanceof WallError)) throw error;
    return { mechanisms: [...mechanisms, ...conceded(capabilities)], refusal: error };
  }
}

/** What there could still be where namespaces are conceded. */
function conceded(capabilities: HostCapabilities): readonly MechanismReport[] {
  if (capabilities.namespaces.ok) return [];
  try {
    const left = requireWall(capabilities, ["no-user-namespaces"]);
    const held = left.filter(({ state }) => state === "enforced").map(({ mechanism }) => mechanism);
    return [
      {
        mechanism: "concession",
        state: "partly",
        detail: `with "concessions": ["no-user-namespaces"] a bot runs, and with --concede no-user-namespaces a command: ${held.join(", ")} hold, see docs/wall.md`,
      },
    ];
  } catch (error) {
    // Nor that: what is missing stands in the other lines.
    if (error instanceof WallError) return [];
    throw error;
  }
}

/**
 * Root's bots have uids of their own; others' bots are theirs.
 *
 * @throws WallError `launcher`; HostError `no-bot-users` when this is root of a container that lacks
 *   those uids.
 */
export async function probeAsBot(launcher: string): Promise<HostCapabilities> {
  const root = process.getuid?.() === 0 && process.platform !== "darwin";
  if (root) requireBotUsers();
  return await probeHost({ launcher, ...(root ? { uid: FIRST_UID, gid: FIRST_UID } : {}) });
}

/** Compiles the smallest wall there is, and gives what would be enforced. @throws WallError when this host couldn't enforce it. */
export function requireWall(
  capabilities: HostCapabilities,
  concessions: WallSpec["concessions"],
): readonly MechanismReport[] {
  return compileWall(
    {
      command: ["/bin/true"],
      cwd: "/",
      environment: {},
      identity: { uid: 1000, gid: 1000 },
      hostname: "bot",
      mounts: [{ kind: "proc", to: "/proc" }],
      network: { tcp: [], udp: [], bind: [] },
      execute: [],
      libraries: [],
      protect: [],
      limits: {},
      processes: "any",
      namespaces: "own",
      concessions,
    },
    capabilities,
  ).mechanisms;
}
