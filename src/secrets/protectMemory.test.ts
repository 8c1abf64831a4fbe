import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

const MODULE = JSON.stringify(new URL("protectMemory.ts", import.meta.url).href);
const root = process.geteuid?.() === 0;

/** What another process of the same ordinary user gets of this one's environment, memory and limits. */
async function look(
  protect: boolean,
): Promise<{ environ: number | null; mem: number | null; core: string }> {
  // Loaded as root, which may read this folder; then the process becomes nobody in particular.
  const code = `
    import { readFileSync } from "node:fs";
    const { protectMemory } = await import(${MODULE});
    if (${root}) { process.setgroups([]); process.setgid(54321); process.setuid(54321); }
    // Changing the user closes the memory by itself (PR_SET_DUMPABLE, prctl(2)); a control needs it open.
    ${protect ? "protectMemory();" : ""}
    console.log(/core file size +(\\d+|unlimited)/.exec(readFileSync("/proc/self/limits", "utf8"))[1]);
    setInterval(() => {}, 1000);`;
  const as = root ? ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"] : [];
  const node = [process.execPath, "--input-type=module-typescript", "-e", code];
  const [program = "", ...args] = protect || !root ? node : [...as, "sleep", "600"];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const core = protect || !root ? String((await once(child.stdout, "data"))[0]).trim() : "";
    if (core === "")
      while (!spawnSync("cat", [`/proc/${child.pid}/comm`]).stdout.includes("sleep"));
    const status = (file: string): number | null => {
      const [cat, ...rest] = [...as, "cat", `/proc/${child.pid ?? 0}/${file}`];
      return spawnSync(cat, rest, { stdio: "ignore" }).status;
    };
    return { environ: status("environ"), mem: status("mem"), core };
  } finally {
    child.kill("SIGKILL");
  }
}

test("protectMemory() closes a process to the same user, and switches core dumps off", async () => {
  const open = await look(false);
  assert.equal(open.environ, 0);
  const closed = await look(true);
  assert.notEqual(closed.environ, 0);
  assert.notEqual(closed.mem, 0);
  assert.equal(closed.core, "1");
});
