import type { Attack } from "../../Attack.ts";
import { tryEach } from "../../inside/findings.ts";
import { onCommands, refusedCommand, useCommand } from "../../inside/onCommands.ts";

/** Commands of services that Seawall knows, and names that are none. */
const NAMES = [
  "browser-fetch",
  "google-api",
  "gitea-api",
  "brave-search",
  "sonarr",
  "bridge",
  "transcribe",
  "../broker",
  "__proto__",
  "",
];

export const commandUngranted: Attack = {
  name: "command-ungranted",
  group: "services",
  tries: "use the commands of services that weren't granted",
  run: (attacker) =>
    onCommands(attacker, (commands) => {
      const granted = new Set(commands.programs.map(({ name }) => name));
      return tryEach(
        NAMES.filter((name) => !granted.has(name)),
        async (name) =>
          refusedCommand(await useCommand(commands, name, ["--help"]), `"${name}" --help`),
      );
    }),
};
