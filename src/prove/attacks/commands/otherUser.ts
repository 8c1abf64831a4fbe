import type { Attack } from "../../Attack.ts";
import { attempt, inUserNamespace } from "../../inside/attempt.ts";
import { onCommands, requestLine } from "../../inside/onCommands.ts";

const NOBODY = 65_534;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** struct sockaddr_un: the family, and the path in 108 bytes (unix(7)). */
const PATH_BYTES = 108;

export const commandOtherUser: Attack = {
  name: "command-other-user",
  group: "services",
  tries: "use the bot's commands as another user than the bot's",
  run: (attacker) =>
    onCommands(attacker, ({ socket, programs }) => {
      const address = Buffer.alloc(2 + PATH_BYTES);
      address.writeUInt16LE(AF_UNIX);
      address.write(socket, 2);
      const said = Buffer.from(requestLine(programs[0]?.name ?? "", ["--help"]));
      const answer = Buffer.alloc(4096);
      return attempt(
        attacker.kernel,
        [
          ["setresgid", NOBODY, NOBODY, NOBODY],
          ["setresuid", NOBODY, NOBODY, NOBODY],
          ["socket", AF_UNIX, SOCK_STREAM, 0],
          ["connect", { result: 2 }, address, address.length],
          ["write", { result: 2 }, said, said.length],
          ["read", { result: 2 }, answer, answer.length],
        ],
        {
          otherwise: inUserNamespace() ? "user namespace" : "capabilities",
          proves: (bytes) => bytes > 0,
          success: "another user was answered",
        },
      );
    }),
};
