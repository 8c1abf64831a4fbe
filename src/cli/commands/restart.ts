import { askSupervisor } from "../../host/index.ts";
import type { Command } from "../Command.ts";

export const restart: Command = {
  name: "restart",
  usage: "[BOT]",
  summary: "restart one bot, or all of them",
  help: "Waits until each restarted bot answers.",
  options: {},
  words: { least: 0, most: 1 },
  run: async ({ paths, output, json, words: [bot] }) => {
    const request = { verb: "restart", ...(bot === undefined ? {} : { bot }) } as const;
    await askSupervisor(paths, request, output.progress);
    if (json) output.json({ ok: true });
    return 0;
  },
};
