import { rollbackSystem } from "../../host/index.ts";
import type { Command } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

export const rollback: Command = {
  name: "rollback",
  usage: "[N]",
  summary: "put an earlier generation in force again, under systemd",
  help: "Without N the one before that in force. The declaration stays as it is. As root.",
  options: {},
  words: { least: 0, most: 1 },
  run: async ({ words: [word], output, paths, json }) => {
    if (word !== undefined && !/^[1-9]\d{0,8}$/.test(word)) {
      throw new UsageError("that is no generation's number", "see: seawall generations");
    }
    const wanted = word === undefined ? undefined : Number(word);
    const done = await rollbackSystem(paths, wanted, output.progress);
    if (json) output.json(done);
    else output.line(`generation ${done.generation} is in force`);
    return 0;
  },
};
