import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { JsonObject } from "../plan/index.ts";
import { TOOLS, TOOLS_PLUGIN, type InsidePaths } from "./ownedSettings.ts";

const FOLDER = new URL("./inside/tools/", import.meta.url);
const FILES = ["container.mjs", "files.mjs", "index.mjs", "openclaw.plugin.json", "package.json"];
/** As a plugin that npm installs would name it; one that is loaded by its path has no packages. */
const SDK = "openclaw/plugin-sdk/sandbox";

/** The plugin's files, as they lie inside. @param entry OpenClaw's program. */
export function toolsPlugin(
  { config }: Pick<InsidePaths, "config">,
  entry: string,
): readonly { readonly to: string; readonly text: string }[] {
  const sdk = join(dirname(entry), "dist", "plugin-sdk", "sandbox.js");
  return FILES.map((name) => ({
    to: join(config, TOOLS, name),
    text: readFileSync(new URL(name, FOLDER), "utf8").replace(`"${SDK}"`, JSON.stringify(sdk)),
  }));
}

export function toolsPluginSettings({ config }: Pick<InsidePaths, "config">): JsonObject {
  return {
    plugins: {
      load: { paths: [join(config, TOOLS)] },
      entries: { [TOOLS_PLUGIN]: { enabled: true } },
    },
  };
}
