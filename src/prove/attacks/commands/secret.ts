import type { Attack } from "../../Attack.ts";
import { held, inapplicable, through, untried } from "../../inside/findings.ts";
import { carriesMarker } from "../../inside/carriesMarker.ts";
import { onCommands, useCommand } from "../../inside/onCommands.ts";

export const commandSecret: Attack = {
  name: "command-secret",
  group: "services",
  tries: "have a granted service send the credential back through its command",
  run: (attacker) =>
    onCommands(attacker, async (commands) => {
      const { call } = commands;
      if (call === undefined) return inapplicable("no command makes calls by method and path");
      const args = ["call", call.method, call.path];
      const { said, code, why } = await useCommand(commands, call.command, args);
      if (carriesMarker(said)) return through("the answer had the credential");
      if (code !== 0) return untried(`the granted call failed: ${why}`);
      return held("broker", "the call was made, and the answer has the phantom in its place");
    }),
};
