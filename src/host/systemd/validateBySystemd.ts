import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { readValidation, type ConfigIssue } from "../../openclaw/index.ts";
import type { BotPlan } from "../../plan/index.ts";
import { botFolder, unitProperties, type SystemdSystem } from "../../targets/index.ts";
import { compileWall, type Mount, type WallSpec } from "../../wall/index.ts";
import type { BotGeneration, Programs } from "../Generation.ts";
import { COMMAND_SOCKET, SERVICE_INSIDE } from "../inside.ts";
import { run } from "./run.ts";
import { makeAgentsFolder } from "../agentsFolder.ts";
import { gatewayOf } from "./systemInput.ts";

const HOME_BYTES = 256 * 1024 * 1024;

/**
 * Has the pinned OpenClaw judge a bot's configuration as a service that is gone afterwards, with the
 * mounts, launcher and environment the gateway will have, but an empty home, no network, and
 * placeholders for phantoms and token.
 *
 * @returns OpenClaw's objections; none means that it takes the configuration.
 * @throws OpenClawError `openclaw-failed`
 */
export async function validateBySystemd(
  input: { readonly plan: BotPlan; readonly bot: BotGeneration; readonly programs: Programs },
  system: SystemdSystem,
): Promise<ConfigIssue[]> {
  const { plan, bot, programs } = input;
  // Not in /tmp: a unit's own mounts come over it.
  const folder = mkdtempSync("/run/seawall-validate-");
  try {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "root"));
    if (plan.openclaw.agents !== undefined) makeAgentsFolder(folder, plan.name);
    const paths = { ...system.paths, generation: folder, state: folder };
    const { spec: gateway, policies } = gatewayOf(plan, bot, programs, { ...system, paths });
    const entry = join(SERVICE_INSIDE.openclaw, relative(bot.openclaw.root, bot.openclaw.entry));
    const placeholders = Object.fromEntries(
      bot.rendered.variables.map((name) => [name, "placeholder-0123456789abcdef"]),
    );
    const spec: WallSpec = {
      ...gateway,
      command: [SERVICE_INSIDE.node, entry, "config", "validate", "--json"],
      environment: { ...gateway.environment, ...placeholders },
      mounts: gateway.mounts
        // The broker's socket isn't there yet, and nothing asks by it.
        .filter(({ to }) => to !== COMMAND_SOCKET.folder)
        .map((mount): Mount =>
          mount.kind === "write" ? { kind: "memory", to: mount.to, size: HOME_BYTES } : mount,
        ),
      network: { tcp: [], udp: [], bind: [] },
    };
    const { properties, files } = unitProperties(spec, { ...system, paths });
    const more: readonly (readonly [string, string])[] = [
      ["private/trust.pem", ""],
      [`private/${plan.name}/passwd`, "bot:x:1000:1000:bot:/srv/bot:/bin/sh\n"],
      [`private/${plan.name}/group`, "bot:x:1000:\n"],
    ];
    const put = (path: string, bytes: string | Uint8Array): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes, { mode: 0o444 });
    };
    for (const { path, bytes } of files) put(path, bytes);
    for (const [path, text] of more) put(path, text);
    for (const [name, policy] of Object.entries(policies))
      put(join(botFolder(plan.name), name), policy);
    put("policy", compileWall(spec, system.host).policy);
    const { stdout, stderr } = await run("systemd-run", [
      "--wait",
      "--pipe",
      "--collect",
      "--quiet",
      ...properties.flatMap(([name, value]) => ["-p", `${name}=${value}`]),
      "-p",
      `BindReadOnlyPaths=${folder}/policy:/run/seawall/policy`,
      system.programs.launcher,
      "--policy",
      "/run/seawall/policy",
    ]);
    return readValidation(stdout === "" ? stderr : stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
