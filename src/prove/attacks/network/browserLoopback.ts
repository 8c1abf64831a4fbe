import type { Attack } from "../../Attack.ts";
import { onBrowser } from "../../inside/onBrowser.ts";

export const browserLoopback: Attack = {
  name: "browser-loopback",
  group: "network",
  tries: "have the bot's browser open what listens on the host's loopback, and its own control",
  run: (attacker) => {
    const { loopback, broker } = attacker.field;
    const ports = [loopback.tcp, ...[broker?.ingressPort ?? []].flat(), 3128, 3129];
    return onBrowser(
      attacker,
      ports.flatMap((port) => [
        `http://127.0.0.1:${port}/`,
        `http://localhost:${port}/`,
        `http://[::ffff:127.0.0.1]:${port}/`,
        `http://0x7f.1:${port}/`,
      ]),
    );
  },
};
