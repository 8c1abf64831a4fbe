import type { Attack } from "../../Attack.ts";
import { inapplicable } from "../../inside/findings.ts";
import { onCommands, refuseEach } from "../../inside/onCommands.ts";

export const commandPath: Attack = {
  name: "command-path",
  group: "services",
  tries: "leave the granted paths by a command's path: dots, slashes, semicolons, other letters",
  run: (attacker) =>
    onCommands(attacker, (commands) => {
      const { call } = commands;
      if (call === undefined) return inapplicable("no command makes calls by method and path");
      const { command, method, path } = call;
      const { tag } = attacker;
      const paths = [
        `${path}/../../../${tag}`,
        `${path}/%2e%2e/%2e%2e/${tag}`,
        `${path}/%2E./${tag}`,
        `${path}/..%2f..%2f${tag}`,
        `${path}/..%5c${tag}`,
        `${path}/..\\..\\${tag}`,
        `${path}//${tag}`,
        `//other.example/${tag}`,
        `https://other.example/${tag}`,
        `${path}/..;/${tag}`,
        `${path}/..;x=1/${tag}`,
        `${path}/\u{ff0e}\u{ff0e}/${tag}`,
        `${path}/%c0%ae%c0%ae/${tag}`,
        `${path}/%00/${tag}`,
        `${path}/${tag}#/../x`,
      ];
      return refuseEach(
        commands,
        command,
        paths.map((each) => ["call", method, each]),
      );
    }),
};
