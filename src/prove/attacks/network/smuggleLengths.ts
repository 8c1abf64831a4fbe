import type { Attack } from "../../Attack.ts";
import { smuggle } from "../../inside/smuggle.ts";

export const smuggleLengths: Attack = {
  name: "smuggle-two-lengths",
  group: "network",
  tries: "hide a second request behind a length and chunks at once",
  run: (attacker) =>
    smuggle(attacker, (second) => ({
      headers: { "content-length": String(second.length + 5), "transfer-encoding": "chunked" },
      body: `0\r\n\r\n${second}`,
    })),
};
