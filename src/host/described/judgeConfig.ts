import { spawn } from "node:child_process";
import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  AGENTS,
  readPin,
  readValidation,
  renderConfig,
  type ConfigIssue,
  type InsidePaths,
} from "../../openclaw/index.ts";
import type { BotPlan } from "../../plan/index.ts";
import { makeAgentsFolder } from "../agentsFolder.ts";
import type { BotGeneration } from "../Generation.ts";

const TIMEOUT_MS = 300_000;
const LARGEST_OUTPUT = 16 * 1024 * 1024;
/** Overflow user of every Linux: not root, who could write into OpenClaw's own folder. */
const NOBODY = 65_534;

/**
 * Has the pinned OpenClaw judge a bot's configuration where no wall can be made, as in the sandbox of
 * a Nix build, which has no network and nothing of the machine's. Paths in the configuration are those
 * of a temporary folder; all else is as it will run.
 *
 * @returns OpenClaw's objections; none means that it takes the configuration.
 * @throws OpenClawError `openclaw-failed`
 */
export async function judgeConfig(
  plan: BotPlan,
  { openclaw }: BotGeneration,
  node: string,
): Promise<ConfigIssue[]> {
  const root = process.getuid?.() === 0;
  // A build's own temporary folder is root's alone where root builds.
  const folder = mkdtempSync(join(root ? "/tmp" : tmpdir(), "seawall-judge-"));
  try {
    const inside: InsidePaths = {
      node,
      openclaw: openclaw.root,
      home: join(folder, "home"),
      state: join(folder, "home/state"),
      workspace: join(folder, "home/workspace"),
      config: join(folder, "config"),
      commands: "/usr/bin",
      clients: false,
      caBundle: join(folder, "ca.pem"),
    };
    const rendered = renderConfig(plan, inside, readPin(plan.openclaw.version));
    for (const path of [inside.home, inside.state, inside.workspace, inside.config])
      mkdirSync(path, { recursive: true });
    writeFileSync(inside.caBundle, "");
    // As it is with no agents, and with their folder beside the configuration.
    if (plan.openclaw.agents !== undefined)
      cpSync(makeAgentsFolder(folder, plan.name), join(inside.config, AGENTS), { recursive: true });
    for (const { to, text } of rendered.files)
      writeFileSync(join(inside.config, basename(to)), text);
    if (root)
      for (const path of [folder, inside.home, inside.state, inside.workspace])
        chownSync(path, NOBODY, NOBODY);
    const placeholders = Object.fromEntries(
      rendered.variables.map((name) => [name, "placeholder-0123456789abcdef"]),
    );
    const child = spawn(node, [openclaw.entry, "config", "validate", "--json"], {
      cwd: inside.home,
      env: { PATH: "/nonexistent", ...rendered.environment, ...placeholders, TMPDIR: folder },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < LARGEST_OUTPUT) output += text;
    });
    await new Promise<void>((resolve) => {
      child.once("error", () => resolve());
      child.once("close", () => resolve());
    });
    return readValidation(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
