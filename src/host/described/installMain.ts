import { writeSync } from "node:fs";
import { statePaths } from "../../paths/index.ts";
import { HostError } from "../HostError.ts";
import { removeLeftInstallation } from "../systemd/plugins/installServicePlugins.ts";
import { installDescribed } from "./installDescribed.ts";

/** `node installMain.ts BOT [clean]`: the service before a bot that has plugins (targets/systemd/installUnits.ts). */
const [bot, clean] = process.argv.slice(2);
if (bot === undefined) throw new Error("the name of a bot is missing");
try {
  const paths = statePaths(process.env, process.getuid?.() ?? 0);
  if (clean === "clean") await removeLeftInstallation(bot);
  else await installDescribed(bot, paths, (text) => writeSync(1, `${text}\n`));
} catch (error) {
  const hint = error instanceof HostError ? (error.hint ?? "") : "";
  writeSync(
    2,
    `error: ${error instanceof Error ? error.message : String(error)}\n${hint === "" ? "" : `  hint: ${hint}\n`}`,
  );
  process.exitCode = 5;
}
