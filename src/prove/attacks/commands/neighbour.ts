import { constants, readdirSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { held, MARKER, through, tryEach } from "../../inside/findings.ts";
import { refusedFile } from "../../inside/files.ts";
import { onCommands, requestLine } from "../../inside/onCommands.ts";
import { exchange } from "../../inside/sockets.ts";

export const neighbourCommands: Attack = {
  name: "neighbour-commands",
  group: "other bots",
  tries: "use another bot's commands by its socket, through /proc/PID/root",
  run: (attacker) =>
    onCommands(attacker, ({ socket, programs }) => {
      const told = attacker.field.processes.map(({ pid }) => pid);
      const seen = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
      const pids = [...new Set([...attacker.field.neighbour.pids, ...told, ...seen.map(Number)])];
      return tryEach(pids, async (pid) => {
        const path = `/proc/${pid}/root${socket}`;
        const said = requestLine(programs[0]?.name ?? "", ["--help"]);
        const { connected, reply, error } = await exchange({ path }, said);
        if (MARKER.test(reply)) return through(`what listens at ${path} answered`);
        // Its own process, or one of its own bot: it is the same socket.
        if (connected) return held("mount namespace", `${path} is the bot's own`);
        return refusedFile(path, error ?? "ENOENT", constants.R_OK);
      });
    }),
};
