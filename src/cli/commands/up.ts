import {
  applyGeneration,
  loadDeclaration,
  prepareGeneration,
  askSupervisor,
  gatewayTokenFile,
} from "../../host/index.ts";
import { locateVault } from "../../secrets/index.ts";
import { askHidden } from "../askHidden.ts";
import type { Command } from "../Command.ts";
import { statusLines } from "./status.ts";

export const up: Command = {
  name: "up",
  usage: "[FILE]",
  summary: "apply the declaration: start the broker and every bot",
  help: [
    "Brings what is missing, checks everything, then starts it and waits until each bot answers.",
    "With something running already, only bots that the declaration changes are restarted. If the",
    "broker refuses or a bot doesn't come to answer, what ran before runs again.",
  ].join("\n"),
  options: {},
  words: { least: 0, most: 1 },
  run: async ({ words: [file], output, paths, json }) => {
    const loaded = loadDeclaration(file, process.env);
    const prepared = await prepareGeneration(loaded, paths, output.progress);
    const passphrase = (await locateVault(paths.vault.folder)).sealed
      ? { passphrase: await askHidden("passphrase of the vault: ") }
      : {};
    await applyGeneration(paths, prepared, { onProgress: output.progress, ...passphrase });
    const reply = await askSupervisor(paths, { verb: "status" });
    if (reply.kind !== "status") return 1;
    if (json) {
      output.json(reply.status);
      return 0;
    }
    for (const line of statusLines(reply.status, Date.now())) output.line(line);
    output.line("");
    for (const { name } of reply.status.bots) {
      output.line(`the token for ${name} is in ${gatewayTokenFile(paths, name)}`);
    }
    return 0;
  },
};
