import { makePin } from "../../openclaw/index.ts";
import type { Command } from "../Command.ts";

export const pin: Command = {
  name: "pin",
  usage: "VERSION",
  summary: "pin another version of OpenClaw",
  help: [
    "Installs it for each platform into a temporary folder, without running install scripts, and",
    "writes pins/openclaw/VERSION: the lock with integrity hashes, and the hash of the whole tree.",
    "Whoever deploys from that pin gets exactly those bytes or nothing.",
  ].join("\n"),
  options: {},
  words: { least: 1, most: 1 },
  run: async ({ words: [version = ""], output, json }) => {
    const made = await makePin(version, { onProgress: output.progress });
    if (json) output.json(made);
    else output.line(`pinned OpenClaw ${version}`);
    return 0;
  },
};
