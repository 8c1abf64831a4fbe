import { examineHost } from "../../host/index.ts";
import type { Command } from "../Command.ts";

export const doctor: Command = {
  name: "doctor",
  usage: "",
  summary: "what this host can enforce, and what to install",
  help: "Tries each mechanism of the wall. Exit 0 if a bot can run here, 4 if something is missing.",
  options: {},
  words: { least: 0, most: 0 },
  run: async ({ output, paths, json }) => {
    const { mechanisms, refusal } = await examineHost(paths);
    if (json) {
      output.json({
        ok: refusal === undefined,
        mechanisms,
        ...(refusal === undefined ? {} : { error: refusal.message }),
      });
    } else {
      for (const { mechanism, state, detail, remedy } of mechanisms) {
        output.line(`${mechanism.padEnd(14)}${state.padEnd(10)}${detail}`);
        if (remedy !== undefined) output.line(`${" ".repeat(24)}${remedy}`);
      }
    }
    if (refusal === undefined) return 0;
    if (json) return 4;
    throw refusal;
  },
};
