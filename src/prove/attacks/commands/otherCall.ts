import type { Attack } from "../../Attack.ts";
import { inapplicable } from "../../inside/findings.ts";
import { onCommands, refuseEach } from "../../inside/onCommands.ts";

export const commandOtherCall: Attack = {
  name: "command-other-call",
  group: "services",
  tries: "make a call by a command that its rules don't allow",
  run: (attacker) =>
    onCommands(attacker, (commands) => {
      const { call, refusedMethod } = commands;
      if (call === undefined || refusedMethod === undefined)
        return inapplicable("no command makes calls by method and path");
      const path = `${call.path}/${attacker.tag}`;
      return refuseEach(commands, call.command, [
        ["call", refusedMethod, path],
        ["call", refusedMethod, path, "{}"],
        ["call", refusedMethod.toLowerCase(), path],
        ["call", "CONNECT", path],
        ["call", "TRACE", path],
      ]);
    }),
};
