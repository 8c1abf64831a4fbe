import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { leaveNoTraces } from "../testing/leaveNoTraces.ts";
import { botPlan, TEST_INSIDE } from "../testing/testBot.ts";
import { renderConfig } from "../renderConfig.ts";
import { latestPin, readPin } from "../Pin.ts";
import { testOpenClaw } from "../testing/testOpenClaw.ts";

const START = fileURLToPath(new URL("start.mjs", import.meta.url));

/** Starts `start.mjs` with an entry that notes how it is called and leaves `approvals` to `real`, which takes 10 s. */
function starter(t: TestContext): {
  start: (approvals: string, real?: string) => Run;
  state: string;
} {
  const folder = mkdtempSync(join(tmpdir(), "seawall-start-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const state = join(folder, "state");
  mkdirSync(state);
  const entry = join(folder, "entry.mjs");
  const calls = join(folder, "calls");
  const write = (real: string | undefined): void =>
    writeFileSync(
      entry,
      `import { appendFileSync } from "node:fs";
     const args = process.argv.slice(2);
     appendFileSync(${JSON.stringify(calls)}, JSON.stringify([process.pid, args[0]]) + "\\n");
     ${real === undefined ? "" : `if (args[0] === "approvals") { process.argv[1] = ${JSON.stringify(real)}; await import(${JSON.stringify(pathToFileURL(real).href)}); }`}
     if (args[0] === "gateway") process.exit(42);`,
    );
  const config = join(folder, "openclaw.json");
  writeFileSync(config, "{}");
  const start = (approvals: string, real?: string): Run => {
    write(real);
    const file = join(folder, "approvals.json");
    writeFileSync(file, approvals);
    rmSync(calls, { force: true });
    const child = spawnSync(process.execPath, [START, entry, file], {
      env: {
        PATH: "/usr/bin:/bin",
        HOME: folder,
        TMPDIR: folder,
        OPENCLAW_STATE_DIR: state,
        OPENCLAW_CONFIG_PATH: config,
        OPENCLAW_SUPERVISOR_MODE: "external",
        OPENCLAW_NO_AUTO_UPDATE: "1",
      },
      encoding: "utf8",
    });
    const lines = readFileSync(calls, "utf8").trim().split("\n");
    const noted = lines.map((line) => JSON.parse(line) as [number, string]);
    return {
      status: child.status,
      stderr: child.stderr,
      calls: noted.map(([, call]) => call),
      samePid: noted.at(-1)?.[0] === child.pid,
    };
  };
  return { start, state };
}

interface Run {
  readonly status: number | null;
  readonly stderr: string;
  readonly calls: readonly string[];
  /** Whether the last call ran in the very process that was started. */
  readonly samePid: boolean;
}

function approvals(commands: string[]): string {
  const { approvals: text = "" } = renderConfig(
    botPlan({ commands }),
    TEST_INSIDE,
    readPin(latestPin()),
  );
  return text;
}

test("start.mjs has the real OpenClaw set the approvals once, and again when they change", async (t) => {
  leaveNoTraces(t);
  const { installed } = await testOpenClaw();
  const { start, state } = starter(t);
  const first = start(approvals(["ls"]), installed.entry);
  deepEqual(first.calls, ["approvals", "gateway"], first.stderr);
  deepEqual(start(approvals(["ls"])).calls, ["gateway"]);
  deepEqual(start(approvals(["cat", "ls"])).calls, ["approvals", "gateway"]);

  const database = new DatabaseSync(join(state, "state", "openclaw.sqlite"));
  t.after(() => database.close());
  const stored = (): string => {
    const row = database.prepare("SELECT raw_json FROM exec_approvals_config").get();
    return String(row?.["raw_json"]);
  };
  match(stored(), /"pattern": "\/usr\/bin\/ls"/);

  // What a bot has widened for itself is put back.
  database
    .prepare(
      "UPDATE exec_approvals_config SET raw_json = replace(raw_json, '\"deny\"', '\"full\"')",
    )
    .run();
  match(stored(), /"full"/);
  deepEqual(start(approvals(["ls"]), installed.entry).calls, ["approvals", "gateway"]);
  doesNotMatch(stored(), /"full"/);
});

test("start.mjs becomes the gateway in its own process and passes its exit status on", (t) => {
  const { start } = starter(t);
  const run = start(approvals(["ls"]));
  equal(run.status, 42);
  equal(run.samePid, true);
});

test("start.mjs does not start the gateway when the approvals are refused", (t) => {
  const { start } = starter(t);
  const run = start(approvals(["ls"]), "/nowhere/openclaw.mjs");
  equal(run.status, 70);
  deepEqual(run.calls, ["approvals"]);
  match(run.stderr, /did not take the exec approvals/);
});
