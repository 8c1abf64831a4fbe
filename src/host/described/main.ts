import { statePaths } from "../../paths/index.ts";
import { HostError } from "../HostError.ts";
import { makePrivate } from "./makePrivate.ts";

/** `node main.ts FOLDER`: the service before the brokers (nix/modules/seawall.nix). */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("the folder of a generation is missing");
try {
  await makePrivate(folder, statePaths(process.env, process.getuid?.() ?? 0));
} catch (error) {
  const hint = error instanceof HostError ? (error.hint ?? "") : "";
  process.stderr.write(
    `error: ${error instanceof Error ? error.message : String(error)}\n${hint === "" ? "" : `  hint: ${hint}\n`}`,
  );
  process.exitCode = 5;
}
