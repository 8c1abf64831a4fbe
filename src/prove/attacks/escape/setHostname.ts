import { hostname } from "node:os";
import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const setHostname: Attack = {
  name: "set-hostname",
  group: "escape",
  tries: "change the host's name",
  // To what it is.
  run: ({ kernel }) => attempt(kernel, [["sethostname", hostname(), hostname().length]]),
};
