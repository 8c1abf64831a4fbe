import type { Attack } from "../../Attack.ts";
import { tryEach, untried } from "../../inside/findings.ts";
import {
  onCommands,
  refusedCommand,
  requestLine,
  sayToCommands,
  useCommand,
} from "../../inside/onCommands.ts";

const MEGABYTES = 2 * 1024 * 1024;
const DEEP = 20_000;

export const commandMalformed: Attack = {
  name: "command-malformed",
  group: "services",
  tries:
    "have the broker do something, or break, by requests that are oversized or not well formed",
  run: (attacker) =>
    onCommands(attacker, async (commands) => {
      const { name = "" } = commands.programs[0] ?? {};
      const tries: readonly (readonly [what: string, bytes: string | Uint8Array])[] = [
        ["a megabyte too much", Buffer.alloc(MEGABYTES, " ")],
        ["an argument of two megabytes", requestLine(name, ["x".repeat(MEGABYTES)])],
        [
          "too many arguments",
          requestLine(
            name,
            Array.from({ length: 100_000 }, () => "--help"),
          ),
        ],
        ["arguments that are none", requestLine(name, [{ toString: "--help" }])],
        ["no arguments", requestLine(name, [], { args: "--help" })],
        ["another version", requestLine(name, ["--help"], { v: 2 })],
        ["JSON without end", `${"[".repeat(DEEP)}\n`],
        ["a null", "null\n"],
        ["bytes that are no text", Buffer.from([0xff, 0xfe, 0x00, 0x0a])],
        ["HTTP", "GET / HTTP/1.1\r\nhost: broker\r\n\r\n"],
      ];
      const finding = await tryEach(tries, async ([what, bytes]) =>
        refusedCommand(await sayToCommands(commands.socket, bytes), what),
      );
      if (finding.state !== "held") return finding;
      const { code, error = "" } = await useCommand(commands, name, ["--help"]);
      return code === 0 ? finding : untried(`the broker answers no more: ${code} ${error}`);
    }),
};
