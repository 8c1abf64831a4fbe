import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureNode } from "../../src/openclaw/index.ts";
import { testOpenClaw } from "../../src/openclaw/testing/testOpenClaw.ts";
import { testStore } from "./testStore.ts";

/**
 * Runs the real OpenClaw's command line as its owner would, unwalled but for what a test needs: it has
 * no network, and can't write into its own installation (as root it would).
 */
export async function runOpenClaw(
  home: string,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { installed } = await testOpenClaw();
  const node = await ensureNode(process.execPath, testStore());
  const store = dirname(installed.root);
  const wall = [
    "--bind / / --dev /dev --proc /proc --tmpfs /tmp",
    `--bind ${home} ${home} --ro-bind ${store} ${store}`,
    "--unshare-net --unshare-pid --die-with-parent --new-session",
  ].flatMap((line) => line.split(" "));
  const env = {
    HOME: home,
    LANG: "C.UTF-8",
    OPENCLAW_NO_RESPAWN: "1",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    PATH: `${dirname(node.entry)}:/usr/bin:/bin`,
  };
  return new Promise((resolve, reject) => {
    execFile(
      "bwrap",
      [...wall, node.entry, installed.entry, ...args],
      { cwd: "/", env, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error === null && existsSync(join(home, ".openclaw"))) resolve({ stdout, stderr });
        else
          reject(
            new Error(`openclaw ${args[0] ?? ""} failed: ${stderr}${stdout}`, { cause: error }),
          );
      },
    );
  });
}
