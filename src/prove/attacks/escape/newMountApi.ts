import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";
import type { Step } from "../../inside/Kernel.ts";

const OPEN_TREE_CLONE = 1;
const AT_FDCWD = -100;

export const newMountApi: Attack = {
  name: "new-mount-calls",
  group: "escape",
  tries: "mount by the newer calls: fsopen, open_tree, move_mount",
  run: ({ kernel }) => {
    const ways: Step[] = [
      ["fsopen", "tmpfs", 0],
      ["open_tree", AT_FDCWD, "/", OPEN_TREE_CLONE],
    ];
    return tryEach(ways, (step) => attempt(kernel, [step]));
  },
};
