import { globSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { writePlaces } from "../../inside/files.ts";
import { tryEach } from "../../inside/findings.ts";

export const releaseAgent: Attack = {
  name: "release-agent",
  group: "escape",
  tries: "have the kernel run a program outside by a cgroup's release_agent",
  run: ({ kernel, field, tag }) =>
    tryEach(["written", "mounted"], (way) => {
      if (way === "mounted")
        return attempt(kernel, [
          ["mount", "cgroup", field.home, "cgroup", 0, "devices"],
          ["umount2", field.home, 2],
        ]);
      const there = globSync("/sys/fs/cgroup/{.,*}/{release_agent,cgroup.procs}");
      const files = there.length > 0 ? there : ["/sys/fs/cgroup/cgroup.procs"];
      return writePlaces(
        files.map((path) => ({ path, planted: false })),
        tag,
      );
    }),
};
