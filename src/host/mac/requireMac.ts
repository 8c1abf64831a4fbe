import { clientCommands, type BotPlan, type Plan } from "../../plan/index.ts";
import { HostError } from "../HostError.ts";

/**
 * Refuses what can't be had on macOS besides what no bot without namespaces has (`requireShared`), before
 * anything is brought or started. Does nothing elsewhere.
 *
 * @throws HostError `not-on-macos` with everything that would have to go.
 */
export function requireMac(
  { bots }: Pick<Plan, "bots">,
  { platform = process.platform, uid = process.getuid?.() } = {},
): void {
  if (platform !== "darwin") return;
  if (uid === 0)
    throw new HostError("not-on-macos", "root can't run bots on macOS", {
      hint: "run seawall as the user whose bots they are",
    });
  const lacking = bots.flatMap((bot) => ownWays(bot).map((way) => `${way} of bot "${bot.name}"`));
  if (lacking.length === 0) return;
  throw new HostError("not-on-macos", `macOS can't have: ${lacking.join("; ")}`, {
    hint: "leave these out, or run the bot on Linux; docs/macos.md says what there is",
  });
}

function ownWays(bot: BotPlan): string[] {
  const { memory, processes, cpu } = bot.resources ?? {};
  const limits = Object.entries({ memory, processes, cpu }).flatMap(([name, value]) =>
    value === undefined ? [] : [`limit "${name}"`],
  );
  const commands = clientCommands(bot).map(({ command: { name } }) => `command "${name}"`);
  return [...limits, ...commands, ...(bot.openclaw.agents === undefined ? [] : ['"agents"'])];
}
