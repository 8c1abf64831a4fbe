import type { Attack, Finding } from "../../Attack.ts";
import { held, inapplicable, MARKER, through, tryEach } from "../../inside/findings.ts";
import { onBridge, refusedCommand, requestLine, sayToCommands } from "../../inside/onCommands.ts";
import type { CommandAnswer } from "../../inside/onCommands.ts";

export const bridgeSender: Attack = {
  name: "bridge-sender",
  group: "other bots",
  tries: "be another bot on the bridge, by what its requests say",
  run: (attacker) =>
    onBridge(attacker, ({ own, other }, { socket }) => {
      if (other === undefined) return inapplicable("there is no other bot with a bridge");
      const lines = [
        ...["bot", "from", "sender", "as", "name"].map((key) =>
          requestLine("bridge", ["status"], { [key]: other }),
        ),
        ...[`bot=${other}`, `from=${other}`, `{"bot":"${other}"}`, `--bot=${other}`].map((word) =>
          requestLine("bridge", ["status", word]),
        ),
        requestLine(`${other}/bridge`, ["status"]),
        // The last of two keys of a name is the one that counts in JSON.parse().
        `${requestLine("bridge", ["status"]).trimEnd().slice(0, -1)},"bot":"${other}"}\n`,
      ];
      return tryEach(lines, async (line) => judge(await sayToCommands(socket, line), own));
    }),
};

/** `bridge status` says whose it is. */
function judge(answer: CommandAnswer, own: string): Finding {
  const bot = /"bot":"([^"]*)"/.exec(answer.said)?.[1];
  if (answer.code !== 0 || MARKER.test(answer.said)) return refusedCommand(answer, "a false name");
  if (bot !== own) return through(`it was taken for ${bot ?? "somebody else"}`);
  return held("broker", "it was itself, whatever it said");
}
