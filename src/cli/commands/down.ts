import { stopDeployment } from "../../host/index.ts";
import type { Command } from "../Command.ts";

export const down: Command = {
  name: "down",
  usage: "",
  summary: "stop everything that runs",
  help: "Stops the bots, then the broker, then the supervisor. State, vault and records stay.",
  options: {},
  words: { least: 0, most: 0 },
  run: async ({ paths, output, json }) => {
    await stopDeployment(paths, output.progress);
    if (json) output.json({ ok: true });
    else output.line("stopped");
    return 0;
  },
};
