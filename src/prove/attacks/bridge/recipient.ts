import type { Attack } from "../../Attack.ts";
import { onBridge, refuseEach } from "../../inside/onCommands.ts";

export const bridgeRecipient: Attack = {
  name: "bridge-recipient",
  group: "other bots",
  tries: "write to bots on the bridge that its grant doesn't name",
  run: (attacker) =>
    onBridge(attacker, ({ own, to, other }, commands) => {
      const [granted = own] = to;
      const names = [
        own,
        ...(other === undefined ? [] : [other, other.toUpperCase(), `${granted},${other}`]),
        "*",
        `../${granted}`,
        `${granted} `,
        `${granted}\u0000`,
        "__proto__",
      ].filter((name) => !to.includes(name));
      const text = `text=${attacker.tag}`;
      return refuseEach(commands, "bridge", [
        ...names.map((name) => ["send", `to=${name}`, text]),
        ["send", JSON.stringify({ to: [granted, other ?? "*"], text: attacker.tag })],
      ]);
    }),
};
