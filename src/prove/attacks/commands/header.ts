import type { Attack } from "../../Attack.ts";
import { inapplicable } from "../../inside/findings.ts";
import { onCommands, refuseEach } from "../../inside/onCommands.ts";

export const commandHeader: Attack = {
  name: "command-header",
  group: "services",
  tries: "put headers and a second request into a command's method, path and inputs",
  run: (attacker) =>
    onCommands(attacker, (commands) => {
      const { call, segment } = commands;
      if (call === undefined) return inapplicable("no command makes calls by method and path");
      const { command, method, path } = call;
      const header = `x-prove: ${attacker.tag}`;
      const second = `GET /${attacker.tag} HTTP/1.1\r\nhost: other.example`;
      return refuseEach(commands, command, [
        ["call", method, `${path} HTTP/1.1\r\n${header}\r\n\r\n`],
        ["call", method, `${path} HTTP/1.1\r\nhost: a\r\n\r\n${second}\r\n\r\n`],
        ["call", method, `${path}\n${header}`],
        ["call", method, `${path}\r${header}`],
        ["call", `${method} ${path} HTTP/1.1\r\n${header}\r\n\r\n${method}`, path],
        ...(segment?.command === command
          ? [[segment.operation, `${segment.input}=a\r\n${header}`, ...segment.others]]
          : []),
      ]);
    }),
};
