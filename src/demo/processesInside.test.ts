import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { DemoError } from "./DemoError.ts";
import { processesInside } from "./processesInside.ts";

const skip =
  spawnSync("unshare", ["-Urpf", "true"]).status === 0
    ? false
    : "unshare can't make user and pid namespaces here";

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
const namesOf = (pids: readonly number[]): string[] =>
  pids.map((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim()).toSorted();

/** Runs a script in new user and pid namespaces; gives the host's pid of its shell. */
async function namespace(t: TestContext, script: string): Promise<number> {
  const whole = `${script}\necho ready; wait`;
  const child = spawn("unshare", ["-Urpf", "--kill-child", "sh", "-c", whole], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await once(child.stdout, "data");
  return childrenOf(child.pid ?? 0)[0] ?? 0;
}

/** Looks again until it is so; what is looked at starts on its own and says nothing. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert(performance.now() < deadline, "it never came to be so");
    await yieldToOthers();
  }
}

test("processesInside() gives the namespace's processes and no others", { skip }, async (t) => {
  const shell = await namespace(t, "sleep 1000 & sleep 1000 &");
  const other = await namespace(t, "sleep 1000 &");
  await until(() => namesOf(processesInside(shell)).join() === "sh,sleep,sleep");
  const inside = processesInside(shell);
  assert.deepEqual(processesInside(inside.at(-1) ?? 0), inside, "the same from any of them");
  assert(!inside.includes(other) && !inside.includes(process.pid));
});

test("processesInside() gives nested namespaces, and not what is around", { skip }, async (t) => {
  // Three namespaces: shell and unshare; shell, sleep and unshare; sleep.
  const script = "unshare -pf sh -c 'sleep 1000 & unshare -pf sleep 1000 & wait' &";
  const shell = await namespace(t, script);
  const all = "sh,sh,sleep,sleep,unshare,unshare";
  await until(() => namesOf(processesInside(shell)).join() === all);
  const [unshare = 0] = childrenOf(shell);
  const [nested = 0] = childrenOf(unshare);
  const within = processesInside(nested);
  assert.deepEqual(namesOf(within), ["sh", "sleep", "sleep", "unshare"]);
  assert(!within.includes(shell) && !within.includes(unshare));
});

test("processesInside() gives what was put in from outside", { skip }, async (t) => {
  const shell = await namespace(t, "sleep 1000 &");
  await until(() => processesInside(shell).length === 2);
  const enter = ["-t", String(shell), "-U", "-p", "--preserve-credentials", "sleep", "1000"];
  const nsenter = spawn("nsenter", enter, { stdio: "ignore" });
  // It ends with the namespace it is in.
  const ended = once(nsenter, "exit");
  await until(() => processesInside(shell).length === 3);
  const [guest = 0] = childrenOf(nsenter.pid ?? 0);
  assert(processesInside(shell).includes(guest));
  process.kill(shell, "SIGKILL");
  await ended;
});

test("processesInside() says so when there is no such process", () => {
  assert.throws(
    () => processesInside(2 ** 22 + 1),
    (error) => error instanceof DemoError && error.code === "no-process",
  );
});
