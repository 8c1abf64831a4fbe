import net from "node:net";
import type { Attack } from "../../Attack.ts";
import { held, inapplicable, through, untried } from "../../inside/findings.ts";
import { onCommands, useCommand } from "../../inside/onCommands.ts";

const CONNECTIONS = 600;
const PATIENCE_MS = 3_000;
const ASKED_AFTERWARDS = 100;

export const commandFlood: Attack = {
  name: "command-flood",
  group: "exhaustion",
  tries: "hold more and more commands open, until the broker has no room for anybody",
  run: (attacker) =>
    onCommands(attacker, async (commands) => {
      const { socket, programs } = commands;
      const [first] = programs;
      if (first === undefined) return inapplicable("there is no command to use");
      const sockets: net.Socket[] = [];
      let refused = 0;
      const all = Array.from({ length: CONNECTIONS }, () => holdOpen(socket, sockets));
      const enough = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS));
      const counted = all.map(async (each) => {
        await each;
        refused += 1;
      });
      await Promise.race([Promise.all(counted), enough]);
      for (const each of sockets) each.destroy();
      if (refused === 0) return through(`${CONNECTIONS} commands were open at once`);
      // Those that were ended here may be open there for a moment.
      for (let asked = 0; asked < ASKED_AFTERWARDS; asked += 1) {
        const { code } = await useCommand(commands, first.name, ["--help"]);
        if (code === 0)
          return held("broker", `${refused} of ${CONNECTIONS} were refused, and it still answers`);
      }
      return untried("the broker answers no more");
    }),
};

/** Resolves when the connection is refused or ended from the other side. */
function holdOpen(path: string, sockets: net.Socket[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    sockets.push(socket);
    socket.resume();
    socket.on("error", () => resolve());
    socket.on("end", () => resolve());
  });
}
