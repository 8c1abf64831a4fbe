import { spawnSync } from "node:child_process";
import { constants, openSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Attack, Attacker, Finding } from "../../Attack.ts";
import { refusedFile } from "../../inside/files.ts";
import { codeOf, held, inapplicable, through, tryEach, untried } from "../../inside/findings.ts";
import { onCommands } from "../../inside/onCommands.ts";
import { inWritableFolder } from "../../inside/writableFolder.ts";

export const commandOutput: Attack = {
  name: "command-output",
  group: "services",
  tries: "have a command write its answer over files that aren't the bot's, and beside them",
  run: (attacker) =>
    onCommands(attacker, ({ programs }) => {
      const [client] = programs;
      if (client === undefined) return inapplicable("there is no command to run");
      const planted = plantedFiles(attacker);
      return inWritableFolder(attacker.field, (folder) =>
        tryEach(
          [
            ...planted,
            ...planted.slice(0, 1).map((path) => join(dirname(path), "prove-output")),
            ...attacker.field.configuration.slice(0, 1),
            "/usr/bin/prove-output",
            "/run/broker/prove-output",
          ],
          (path) => tryEach([path, byLink(folder)], (each) => writeTo(client.path, each, path)),
        ),
      );
    }),
};

/** A link in its own folder, in place of the path itself. */
function byLink(folder: string): string {
  return join(folder, `prove-link-${process.pid}`);
}

function plantedFiles({ field: { places } }: Attacker): string[] {
  return [...places.shell, ...places.hooks, ...places.units]
    .filter(({ planted }) => planted)
    .map(({ path }) => path)
    .slice(0, 4);
}

function writeTo(client: string, given: string, path: string): Finding {
  if (given !== path) symlinkSync(path, given);
  try {
    const { error, status, stderr } = spawnSync(client, ["--help", "--output", given], {
      encoding: "utf8",
      timeout: 15_000,
    });
    if (error !== undefined) return untried(`the client can't be run: ${codeOf(error)}`);
    if (status === 0) return through(`the answer was written to ${path}`);
    const why = /"code":"([a-z0-9-]+)"/.exec(stderr)?.[1] ?? "";
    if (why !== "write") return untried(`the client failed otherwise: ${why || status}`);
    return refusedBy(path);
  } finally {
    if (given !== path) rmSync(given, { force: true });
  }
}

/** What would have refused it, had the client not: opening it as the client does, without making anything. */
function refusedBy(path: string): Finding {
  try {
    openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    return held("broker", `${path}: the client writes only new files`);
  } catch (error) {
    return refusedFile(path, codeOf(error), constants.W_OK);
  }
}
