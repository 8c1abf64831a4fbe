import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const setClock: Attack = {
  name: "set-clock",
  group: "escape",
  tries: "change the host's clock",
  // The zone is set to what it is: struct timezone as gettimeofday(2) gave it.
  run: ({ kernel }) => {
    const zone = Buffer.alloc(8);
    kernel.call("gettimeofday", 0, zone);
    return attempt(kernel, [["settimeofday", 0, zone]]);
  },
};
