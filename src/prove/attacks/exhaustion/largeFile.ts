import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { held, through, untried } from "../../inside/findings.ts";

const O_CREAT_RDWR = 0o102;
const SIGXFSZ = 25;

export const largeFile: Attack = {
  name: "large-file",
  group: "exhaustion",
  tries: "fill the disk with one file",
  run: ({ kernel, field }) => {
    const path = join(field.home, `large-${process.pid}`);
    const size = field.bounds.fileSize;
    // With a hole, so that it takes no room.
    const { results, signal } = kernel.sequence([
      ["openat", -100, path, O_CREAT_RDWR, 0o600],
      ["ftruncate", { result: 0 }, size],
    ]);
    kernel.call("unlinkat", -100, path, 0);
    const gigabytes = `${Math.round(size / (1 << 30))} GB`;
    if (signal === SIGXFSZ) return held("limits", `no file of ${gigabytes}: SIGXFSZ`);
    const last = results.at(-1);
    if (last === undefined || signal !== 0) return untried(`signal ${signal}`);
    if ("error" in last) return held("limits", `no file of ${gigabytes}: ${last.error}`);
    return through(`a file of ${gigabytes}, and nothing stopped it`);
  },
};
