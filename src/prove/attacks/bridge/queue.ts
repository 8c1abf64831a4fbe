import type { Attack } from "../../Attack.ts";
import { held, inapplicable, MARKER, through, tryEach } from "../../inside/findings.ts";
import { onBridge, requestLine, sayToCommands } from "../../inside/onCommands.ts";

export const bridgeQueue: Attack = {
  name: "bridge-queue",
  group: "other bots",
  tries: "read on the bridge what waits for another bot",
  run: (attacker) =>
    onBridge(attacker, ({ other, waiting }, { socket }) => {
      if (other === undefined || waiting === undefined)
        return inapplicable("nothing waits for another bot");
      const lines = [
        requestLine("bridge", ["receive"]),
        requestLine("bridge", ["receive"], { bot: other }),
        requestLine(`bridge/${other}`, ["receive"]),
        ...[`bot=${other}`, `for=${other}`, `to=${other}`, `id=${waiting}`].map((word) =>
          requestLine("bridge", ["receive", word]),
        ),
        requestLine("bridge", ["receive", JSON.stringify({ bot: other })]),
      ];
      return tryEach(lines, async (line) => {
        const { said, why } = await sayToCommands(socket, line);
        if (MARKER.test(said)) return through("the other's message was read");
        return held("broker", why === "" ? "only its own queue was there" : `refused: ${why}`);
      });
    }),
};
