import { existsSync, statfsSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { held, through, tryEach, untried } from "../../inside/findings.ts";

const O_CREAT_RDWR = 0o102;
const TMPFS = 0x0102_1994;

export const temporaryFiles: Attack = {
  name: "temporary-files",
  group: "exhaustion",
  tries: "take the host's memory by files in /tmp and /dev/shm",
  run: ({ kernel, field }) =>
    tryEach(
      ["/tmp", "/dev/shm"].filter((path) => existsSync(path)),
      (folder) => {
        const { type, blocks, bsize } = statfsSync(folder);
        if (type !== TMPFS) return through(`${folder} is a disk of the host's`);
        const path = join(folder, `fill-${process.pid}`);
        // One page more than there should be; refused before anything is taken.
        const size = Math.min(blocks * bsize + 4096, field.bounds.memory);
        const { results, signal } = kernel.sequence([
          ["openat", -100, path, O_CREAT_RDWR, 0o600],
          ["fallocate", { result: 0 }, 0, 0, size],
        ]);
        kernel.call("unlinkat", -100, path, 0);
        const last = results.at(-1);
        if (last === undefined || signal !== 0) return untried(`${folder}: signal ${signal}`);
        const megabytes = Math.round(size / (1 << 20));
        if ("error" in last) return held("limits", `${folder}: ${last.error} at ${megabytes} MB`);
        return through(`${folder} took ${megabytes} MB`);
      },
    ),
};
