// Runs inside a bot's wall and becomes its gateway: node start.mjs ENTRY APPROVALS
//
// First it sees to it that OpenClaw's exec approvals are those of the file APPROVALS. They live in
// the bot's own state database, which the bot can write, so this happens in here, with no more
// rights than the bot has. OpenClaw's own command is the only supported way to set them and takes
// about 10 s, so it only runs when what is stored differs.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";

const [, , entry, approvals] = process.argv;
const wanted = readFileSync(approvals, "utf8");

const failure = policyOf(stored()) === policyOf(wanted) ? undefined : setApprovals();

if (failure === undefined) {
  // execve(2): the same process, so signals and the exit status need no passing on, and the memory
  // of this script is gone.
  process.execve(process.execPath, [process.execPath, entry, "gateway", "run"], process.env);
} else {
  process.stderr.write(`openclaw did not take the exec approvals (${failure})\n`);
  process.exitCode = 70;
}

function setApprovals() {
  const { status, signal } = spawnSync(
    process.execPath,
    [entry, "approvals", "set", "--file", approvals],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  return status === 0 ? undefined : (signal ?? status);
}

/** The document in the state database, if there is one that can be read. */
function stored() {
  try {
    const file = join(process.env.OPENCLAW_STATE_DIR, "state", "openclaw.sqlite");
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      const row = database
        .prepare("SELECT raw_json FROM exec_approvals_config WHERE config_key = 'current'")
        .get();
      return row?.raw_json;
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

/** What matters in a document: OpenClaw adds a socket, ids and notes on the last use. */
function policyOf(text) {
  try {
    const { version, defaults, agents } = JSON.parse(text);
    return JSON.stringify(sorted({ version, defaults, agents }));
  } catch {
    return undefined;
  }
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "id" && !key.startsWith("lastUsed") && key !== "lastResolvedPath")
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
