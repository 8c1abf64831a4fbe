import type { Attack } from "../../Attack.ts";
import { held, inapplicable, MARKER, through, tryEach } from "../../inside/findings.ts";
import { onBridge, useCommand } from "../../inside/onCommands.ts";

export const bridgeAcknowledge: Attack = {
  name: "bridge-acknowledge",
  group: "other bots",
  tries: "have another bot's message dropped by acknowledging its id",
  run: (attacker) =>
    onBridge(attacker, ({ waiting }, commands) => {
      if (waiting === undefined) return inapplicable("nothing waits for another bot");
      const lists = [[waiting], [waiting, waiting], [waiting.toUpperCase(), waiting], ["*"]];
      return tryEach(lists, async (ids) => {
        const { said, code, why } = await useCommand(commands, "bridge", [
          "acknowledge",
          `ids=${JSON.stringify(ids)}`,
        ]);
        const none = /"acknowledged":0\b/.test(said);
        if (MARKER.test(said) || (code === 0 && !none)) return through("the message was dropped");
        return held("broker", none ? "no message of its own has that id" : `refused: ${why}`);
      });
    }),
};
