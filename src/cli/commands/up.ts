import {
  applyGeneration,
  loadDeclaration,
  prepareGeneration,
  askSupervisor,
  gatewayTokenFile,
  stopDeployment,
  supervisorEnds,
  type StatePaths,
} from "../../host/index.ts";
import { locateVault } from "../../secrets/index.ts";
import { macNote } from "../requireHere.ts";
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
    "",
    "With --stay it doesn't return: for launchd, which starts it again when it ends. It ends when what it",
    "started does, and stops everything when it is told to end.",
  ].join("\n"),
  options: {
    stay: { type: "boolean", help: "go on until everything is stopped" },
  },
  words: { least: 0, most: 1 },
  run: async ({ words: [file], flag, output, paths, json }) => {
    const note = macNote();
    if (note !== undefined) output.progress(note);
    const loaded = loadDeclaration(file, process.env);
    const prepared = await prepareGeneration(loaded, paths, output.progress);
    const passphrase = (await locateVault(paths.vault.folder)).sealed
      ? { passphrase: await askHidden("passphrase of the vault: ") }
      : {};
    await applyGeneration(paths, prepared, { onProgress: output.progress, ...passphrase });
    const reply = await askSupervisor(paths, { verb: "status" });
    if (reply.kind !== "status") return 1;
    if (json) output.json(reply.status);
    else {
      for (const line of statusLines(reply.status, Date.now())) output.line(line);
      output.line("");
      for (const { name } of reply.status.bots) {
        output.line(`the token for ${name} is in ${gatewayTokenFile(paths, name)}`);
      }
    }
    return flag("stay") ? await stay(paths) : 0;
  },
};

/** 0 once a signal had everything stopped, 1 when the supervisor ended otherwise. */
async function stay(paths: StatePaths): Promise<0 | 1> {
  const told = Promise.withResolvers<"told">();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => told.resolve("told"));
  const how = await Promise.race([told.promise, supervisorEnds(paths)]);
  if (how === "ended") return 1;
  await stopDeployment(paths);
  return 0;
}
