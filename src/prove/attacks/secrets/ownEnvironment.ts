import type { Attack } from "../../Attack.ts";
import { held, MARKER, through } from "../../inside/findings.ts";

export const ownEnvironment: Attack = {
  name: "own-environment",
  group: "secrets",
  tries: "find a real credential in its own environment",
  run: () => {
    const found = Object.entries(process.env).find(([, value = ""]) => MARKER.test(value));
    if (found !== undefined) return through(`${found[0]} is a planted secret`);
    const count = Object.keys(process.env).length;
    return held("cleared environment", `${count} variables, none of them from outside`);
  },
};
