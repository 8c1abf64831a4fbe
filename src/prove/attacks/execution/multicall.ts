import type { Attack } from "../../Attack.ts";
import { execute } from "../../inside/execute.ts";
import { inapplicable, tryEach } from "../../inside/findings.ts";

export const multicall: Attack = {
  name: "multicall",
  group: "execution",
  tries: "run a program that is many in one under another name than the granted one",
  run: ({ field }) => {
    if (field.multicall.length === 0)
      return inapplicable("none of the granted programs is many in one");
    return tryEach(field.multicall, (path) =>
      execute(path, ["echo it ran"], {
        name: "printf",
        ran: (status, output) => status === 0 && output.includes("it ran"),
      }),
    );
  },
};
