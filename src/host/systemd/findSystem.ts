import { join } from "node:path";
import type { SystemdSystem } from "../../targets/index.ts";
import { probeHost } from "../../wall/index.ts";
import { PROJECT } from "../ownProcess.ts";
import { findProgram } from "./requireSystem.ts";
import { TAILSCALE } from "./tailnetSite.ts";
import type { SystemPaths } from "./systemPaths.ts";

/** Where all distributions put it. */
export const CADDY = "/usr/bin/caddy";

/** The system in force. */
const NIXOS = "/run/current-system";

/** This machine, as far as units depend on it. @throws HostError `no-systemd` */
export async function findSystem(
  version: number,
  launcher: string,
  node: string,
  places: SystemPaths,
): Promise<SystemdSystem> {
  const ip = findProgram([
    "/usr/sbin/ip",
    "/usr/bin/ip",
    "/sbin/ip",
    "/bin/ip",
    `${NIXOS}/sw/bin/ip`,
  ]);
  const socketProxy = findProgram([
    "/usr/lib/systemd/systemd-socket-proxyd",
    "/lib/systemd/systemd-socket-proxyd",
    `${NIXOS}/systemd/lib/systemd/systemd-socket-proxyd`,
  ]);
  return {
    version,
    host: await probeHost({ launcher }),
    paths: places,
    programs: {
      launcher,
      ip,
      socketProxy,
      seawall: [node, join(PROJECT, "src/cli/main.ts")],
      caddy: CADDY,
      tailscale: TAILSCALE,
    },
  };
}
