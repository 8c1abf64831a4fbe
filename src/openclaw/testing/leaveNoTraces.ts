import { existsSync, rmSync } from "node:fs";
import type { TestContext } from "node:test";

/**
 * OpenClaw leaves files in /tmp under fixed names, whatever TMPDIR says. Outside of a wall they are
 * ours to remove, unless they were there before the test: then they are somebody else's.
 */
export function leaveNoTraces(t: TestContext): void {
  const traces = ["/tmp/openclaw", `/tmp/openclaw-state-locks-${process.getuid?.() ?? ""}`];
  const ours = traces.filter((path) => !existsSync(path));
  t.after(() => {
    for (const path of ours) rmSync(path, { recursive: true, force: true });
  });
}
