import type { Attack } from "../../Attack.ts";
import { held, inapplicable, through, untried } from "../../inside/findings.ts";
import { onBridge, useCommand } from "../../inside/onCommands.ts";

/** More than a sender has in a minute, and far less than a disk. */
const MESSAGES = 40;
const LONG = 60_000;
const TOO_LONG = 70_000;

export const bridgeFlood: Attack = {
  name: "bridge-flood",
  group: "exhaustion",
  tries: "fill another bot's queue on the bridge, and the disk with it",
  run: (attacker) =>
    onBridge(attacker, async ({ to }, commands) => {
      const [granted] = to;
      if (granted === undefined) return inapplicable("it may write to nobody");
      const send = (length: number): ReturnType<typeof useCommand> =>
        useCommand(commands, "bridge", ["send", `to=${granted}`, `text=${"x".repeat(length)}`]);
      const large = await send(TOO_LONG);
      if (large.code === 0) return through(`a message of ${TOO_LONG} bytes was taken`);
      let taken = 0;
      for (; taken < MESSAGES; taken += 1) {
        const { code, why } = await send(LONG);
        if (code === 0) continue;
        if (code === 3) return held("broker", `${taken} messages were taken, then: ${why}`);
        return untried(`the bridge could not be used: ${why}`);
      }
      return through(`${taken} long messages were taken one after the other`);
    }),
};
