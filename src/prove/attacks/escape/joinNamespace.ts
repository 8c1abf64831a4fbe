import { existsSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { held, tryEach } from "../../inside/findings.ts";
import { targets } from "../../inside/processes.ts";

export const joinNamespace: Attack = {
  name: "join-namespace",
  group: "escape",
  tries: "enter another process's namespaces (setns)",
  run: ({ kernel, field }) =>
    tryEach(targets(field), (pid) => {
      if (!existsSync(`/proc/${pid}`)) return held("pid namespace", `there is no process ${pid}`);
      return tryEach(["net", "mnt", "ipc"], (kind) =>
        attempt(kernel, [
          ["openat", -100, `/proc/${pid}/ns/${kind}`, 0, 0],
          ["setns", { result: 0 }, 0],
        ]),
      );
    }),
};
