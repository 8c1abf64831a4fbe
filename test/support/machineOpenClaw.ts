import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/**
 * Runs inside a machine, in a network of its own: starts the OpenClaw of the generation in force with
 * the same configuration and nothing round it, and ends as soon as it answers.
 */
const generation = "/etc/seawall/current";
const { programs, bots } = JSON.parse(readFileSync(`${generation}/generation.json`, "utf8")) as {
  readonly programs: { readonly node: string };
  readonly bots: {
    readonly basecamp: {
      readonly openclaw: { readonly entry: string };
      readonly rendered: { readonly variables: readonly string[] };
    };
  };
};
spawnSync("ip", ["link", "set", "lo", "up"]);
const home = mkdtempSync("/tmp/openclaw-");
const config = join(home, "openclaw.json");
cpSync(`${generation}/bots/basecamp/files/etc/seawall/openclaw.json`, config);
const { basecamp } = bots;
const gateway = spawn(programs.node, [basecamp.openclaw.entry, "gateway", "run"], {
  cwd: home,
  stdio: ["ignore", "ignore", "inherit"],
  env: {
    PATH: process.env["PATH"],
    HOME: home,
    ...Object.fromEntries(basecamp.rendered.variables.map((name) => [name, "x".repeat(40)])),
    OPENCLAW_STATE_DIR: join(home, "state"),
    OPENCLAW_CONFIG_PATH: config,
    OPENCLAW_CONFIG_READONLY: "1",
    OPENCLAW_SUPERVISOR_MODE: "external",
    OPENCLAW_NO_RESPAWN: "1",
    OPENCLAW_DISABLE_BONJOUR: "1",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    OPENCLAW_EXEC_SHELL_SNAPSHOT: "0",
  },
});
const ended = once(gateway, "close");
let answered = false;
while (!answered && gateway.exitCode === null) {
  answered = await fetch("http://127.0.0.1:18789/healthz").then(
    ({ ok }) => ok,
    () => false,
  );
  if (!answered) await wait(100);
}
gateway.kill("SIGKILL");
await ended;
rmSync(home, { recursive: true, force: true });
process.exitCode = answered ? 0 : 1;
