import { release } from "node:os";
import type { HostCapabilities } from "../HostCapabilities.ts";
import type { MechanismReport } from "../MechanismReport.ts";
import { runProbe, type ProbeOptions } from "../probe/runProbe.ts";
import { WallError } from "../WallError.ts";

/**
 * Whether Seatbelt can be had: a program that a profile allows everything runs, and one that it allows
 * nothing doesn't. What a bot's own profile holds is tried at its start (`proveSeatbelt`).
 *
 * Throws WallError `seatbelt`.
 */
export async function probeSeatbelt(options: ProbeOptions): Promise<HostCapabilities> {
  const { launcher } = options;
  const run = async (profile: string) =>
    await runProbe(launcher, ["-p", profile, process.execPath, "--version"], options);
  const all = await run("(version 1) (allow default)");
  if (all.code !== 0) throw lacking(`"${launcher}" can't be run: ${all.stderr}`);
  const none = await run("(version 1) (deny default)");
  if (none.code === 0) throw lacking(`"${launcher}" enforces nothing`);
  return {
    architecture: undefined,
    kernel: release(),
    bubblewrap: undefined,
    namespaces: { ok: false, reason: "macOS has none" },
    landlock: 0,
    seccomp: false,
    ipv6: false,
    noexec: false,
    cgroups: { kind: "none", reason: "macOS has no control groups" },
    countsProcesses: false,
    loaders: [],
    seatbelt: { program: launcher },
    mechanisms: MECHANISMS,
  };
}

const MECHANISMS: readonly MechanismReport[] = [
  {
    mechanism: "seatbelt",
    state: "enforced",
    detail: "what a profile doesn't allow is refused; each bot's is tried at each of its starts",
  },
  {
    mechanism: "namespaces",
    state: "missing",
    detail:
      'macOS has none; a bot runs with "concessions": ["no-user-namespaces"], see docs/macos.md',
  },
];

function lacking(message: string): WallError {
  return new WallError("seatbelt", `Seatbelt can't be had: ${message.trim()}`, {
    hint: "nothing is started without it; see docs/macos.md",
  });
}
