import { loadDeclaration, planWarnings, prepareGeneration, warningsFor } from "../../host/index.ts";
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
    const prepared = await prepareGeneration(loaded, paths, output.progress);
    const declared = planWarnings(loaded.plan).map(({ warning, remedy: hint }) => ({
      warning,
      ...(hint === undefined ? {} : { hint }),
    }));
    const warnings = [...declared, ...warningsFor(prepared)];
    const bots = loaded.plan.bots.map(({ name }) => name);
    if (json) output.json({ ok: true, file: loaded.file, bots, warnings });
    else {
      for (const { warning, hint } of warnings)
        output.line(`warning: ${warning}${hint === undefined ? "" : `\n  hint: ${hint}`}`);
      output.line(`${loaded.file}: right (${bots.join(", ") || "no bots"})`);
    }
    return 0;
  },
};
