import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostCapabilities } from "../HostCapabilities.ts";
import { LAUNCHER } from "./reachable.ts";

const STAND_IN = fileURLToPath(new URL("./seatbeltStandIn.ts", import.meta.url));

/** What `probeHost` finds on macOS. */
export const MAC: HostCapabilities = {
  architecture: undefined,
  kernel: "25.0.0",
  bubblewrap: undefined,
  namespaces: { ok: false, reason: "macOS has none" },
  landlock: 0,
  seccomp: false,
  ipv6: false,
  noexec: false,
  cgroups: { kind: "none", reason: "none" },
  countsProcesses: false,
  loaders: [],
  seatbelt: { program: "/usr/bin/sandbox-exec" },
  mechanisms: [],
};

/** A program in place of sandbox-exec, in a folder. */
export function standIn(folder: string, text: string): string {
  const path = join(folder, "sandbox-exec");
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

/** Takes a profile and keeps to none of it. */
export const careless = (folder: string): string => standIn(folder, 'shift 2; exec "$@"');

/** Keeps to it, as far as Linux can. */
export const careful = (folder: string): string =>
  standIn(folder, `exec "${process.execPath}" "${STAND_IN}" "${LAUNCHER}" "$@"`);
