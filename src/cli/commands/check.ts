import { loadDeclaration, planWarnings, prepareGeneration } from "../../host/index.ts";
import type { Command } from "../Command.ts";

export const check: Command = {
  name: "check",
  usage: "[FILE]",
  summary: "check the declaration, and the rendered configuration by OpenClaw itself",
  help: [
    "Reports every fault with its place. Brings the pinned OpenClaw if it isn't here yet, since it",
    "is asked about the configuration it will run with. Nothing is started or changed.",
  ].join("\n"),
  options: {},
  words: { least: 0, most: 1 },
  run: async ({ words: [file], output, paths, json }) => {
    const loaded = loadDeclaration(file, process.env);
    await prepareGeneration(loaded, paths, output.progress);
    for (const { warning, remedy } of planWarnings(loaded.plan))
      output.progress(`warning: ${warning}\n  ${remedy ?? ""}`);
    const bots = loaded.plan.bots.map(({ name }) => name);
    if (json)
      output.json({ ok: true, file: loaded.file, bots, warnings: planWarnings(loaded.plan) });
    else output.line(`${loaded.file}: right (${bots.join(", ") || "no bots"})`);
    return 0;
  },
};
