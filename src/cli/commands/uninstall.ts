import { uninstallSystem } from "../../host/index.ts";
import type { Command } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

export const uninstall: Command = {
  name: "uninstall",
  usage: "--yes",
  summary: "take back all that seawall switch did to this machine",
  help: [
    "Stops every bot and removes units, users, generations, and the bots' folders and records. Your",
    "vault, your declaration and downloaded programs stay. As root.",
  ].join("\n"),
  options: {
    yes: { type: "boolean", help: "the bots' folders and records are lost; yes" },
    "keep-data": { type: "boolean", help: "keep users, folders and records" },
  },
  words: { least: 0, most: 0 },
  run: async ({ flag, output, paths, json }) => {
    if (!flag("yes") && !flag("keep-data")) {
      throw new UsageError(
        "the bots' folders and records would be lost",
        "type it again with --yes, or with --keep-data",
      );
    }
    await uninstallSystem(paths, { keepData: flag("keep-data"), onProgress: output.progress });
    if (json) output.json({ ok: true });
    else output.line("nothing of it is left but your vault, declaration and programs");
    return 0;
  },
};
