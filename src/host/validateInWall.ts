import { chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { readValidation, type ConfigIssue } from "../openclaw/index.ts";
import type { BotPlan } from "../plan/index.ts";
import { boundsMemory, compileWall, startWalled, type HostCapabilities } from "../wall/index.ts";
import { FIRST_UID } from "./botUsers.ts";
import { makeAgentsFolder } from "./agentsFolder.ts";
import { botWall } from "./botWall.ts";
import type { BotGeneration, Programs } from "./Generation.ts";
import { INSIDE } from "./inside.ts";
import { sharedTrial } from "./shared/sharedTrial.ts";

/** About 2 s are usual, 10 on a busy machine. */
const TIMEOUT_MS = 120_000;
const LARGEST_OUTPUT = 16 * 1024 * 1024;

/**
 * Has the pinned OpenClaw judge a bot's configuration, with the files, environment and wall that it
 * will run with, but an empty home, no network, and placeholders for phantoms and token. In a wall
 * also because OpenClaw writes into its own folder where it can, and root could.
 *
 * @returns OpenClaw's objections; none means that it takes the configuration.
 * @throws WallError when the wall can't be enforced here; OpenClawError `openclaw-failed`.
 */
export async function validateInWall(input: {
  readonly plan: BotPlan;
  readonly bot: BotGeneration;
  readonly programs: Programs;
  readonly capabilities: HostCapabilities;
}): Promise<ConfigIssue[]> {
  const { plan, bot, programs, capabilities } = input;
  const root = process.getuid?.() === 0;
  const folder = mkdtempSync(join(tmpdir(), "seawall-validate-"));
  try {
    // As it is with no agents; what stands in the file later is judged when it is written.
    const agents = makeAgentsFolder(folder, plan.name);
    const home = join(folder, "home");
    mkdirSync(home, { mode: 0o700 });
    if (root) for (const path of [folder, home]) chownSync(path, FIRST_UID, FIRST_UID);
    const variables = Object.fromEntries(
      bot.rendered.variables.map((name) => [name, "placeholder-0123456789abcdef"]),
    );
    const trust = rootCertificates.slice(0, 1).join("\n");
    const trial = {
      plan,
      bot,
      programs,
      home,
      agents,
      trust,
      variables,
      boundsMemory: boundsMemory(capabilities.cgroups),
    };
    const shared = bot.shared === true;
    const spec = shared ? sharedTrial(folder, trial, root ? FIRST_UID : undefined) : botWall(trial);
    const [node, openclaw] = shared
      ? [programs.node, bot.openclaw.root]
      : [INSIDE.node, INSIDE.openclaw];
    const entry = join(openclaw, relative(bot.openclaw.root, bot.openclaw.entry));
    const wall = compileWall(
      {
        ...spec,
        command: [node, entry, "config", "validate", "--json"],
        network: { tcp: [], udp: [], bind: [] },
      },
      capabilities,
    );
    const running = startWalled(wall, {
      launcher: programs.launcher,
      bwrap: capabilities.bubblewrap?.path ?? "bwrap",
      ...(root ? { uid: FIRST_UID, gid: FIRST_UID } : {}),
      stdout: "pipe",
      stderr: "pipe",
      onMessage: () => undefined,
    });
    let output = "";
    running.stderr?.resume();
    running.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < LARGEST_OUTPUT) output += text;
    });
    const timer = setTimeout(() => running.kill("SIGKILL"), TIMEOUT_MS);
    // Throws what kept it from starting at all.
    await running.walled();
    await running.exited;
    clearTimeout(timer);
    return readValidation(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
