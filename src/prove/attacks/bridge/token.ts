import type { Attack } from "../../Attack.ts";
import { inapplicable, tryEach } from "../../inside/findings.ts";
import { onBridge, refusedCommand, useCommand } from "../../inside/onCommands.ts";

export const bridgeToken: Attack = {
  name: "bridge-token",
  group: "other bots",
  tries: "hand its token to another bot over the bridge",
  run: (attacker) =>
    onBridge(attacker, ({ to }, commands) => {
      const phantom = attacker.field.broker?.call?.phantom;
      const [granted] = to;
      if (granted === undefined) return inapplicable("it may write to nobody");
      if (phantom === undefined) return inapplicable("no grant carries a credential");
      const tries = [
        ["send", `to=${granted}`, `text=${phantom}`],
        ["send", `to=${granted}`, `text=use ${phantom}, it is ${attacker.tag}`],
        ["send", JSON.stringify({ to: granted, text: `a\n${phantom}\nb` })],
      ];
      return tryEach(tries, async (args) =>
        refusedCommand(await useCommand(commands, "bridge", args), "a message with its token"),
      );
    }),
};
