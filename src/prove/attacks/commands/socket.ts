import { once } from "node:events";
import { constants, renameSync, rmSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import type { Attack, Finding } from "../../Attack.ts";
import { refusedFile } from "../../inside/files.ts";
import { codeOf, through, tryEach } from "../../inside/findings.ts";
import { onCommands } from "../../inside/onCommands.ts";

export const commandSocket: Attack = {
  name: "command-socket",
  group: "services",
  tries: "put a socket of its own in the broker's place, for other programs' requests",
  run: (attacker) =>
    onCommands(attacker, ({ socket }) => {
      const beside = join(dirname(socket), `prove-${process.pid}`);
      const ways: readonly (() => Finding | Promise<Finding>)[] = [
        () => moveAway(socket, beside),
        () => listenAt(beside),
      ];
      return tryEach(ways, async (way) => {
        try {
          return await way();
        } catch (error) {
          return refusedFile(dirname(socket), codeOf(error), constants.W_OK);
        }
      });
    }),
};

function moveAway(socket: string, other: string): Finding {
  renameSync(socket, other);
  renameSync(other, socket);
  return through("the broker's socket could be moved away");
}

async function listenAt(path: string): Promise<Finding> {
  const server = net.createServer();
  server.listen(path);
  try {
    await once(server, "listening");
    return through("a socket could be made beside the broker's");
  } finally {
    server.close();
    rmSync(path, { force: true });
  }
}
