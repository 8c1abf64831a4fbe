import type { Attack } from "../../Attack.ts";
import { inapplicable } from "../../inside/findings.ts";
import { onCommands, refuseEach } from "../../inside/onCommands.ts";

export const commandPathInput: Attack = {
  name: "command-path-input",
  group: "services",
  tries: "leave the granted paths by an operation's input that stands in the path",
  run: (attacker) =>
    onCommands(attacker, (commands) => {
      const { segment } = commands;
      if (segment === undefined) return inapplicable("no operation has an input in its path");
      const { command, operation, input, others } = segment;
      const { tag } = attacker;
      const values = [
        "..",
        ".",
        `../../${tag}`,
        `a/${tag}`,
        `a\\${tag}`,
        `a%2f${tag}`,
        `%2e%2e%2f${tag}`,
        `..;${tag}`,
        `a\u0000${tag}`,
      ];
      return refuseEach(
        commands,
        command,
        values.map((value) => [operation, `${input}=${value}`, ...others]),
      );
    }),
};
