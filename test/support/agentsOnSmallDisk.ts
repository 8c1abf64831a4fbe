import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "../../src/agents/AgentError.ts";
import { deleteAgent } from "../../src/agents/deleteAgent.ts";
import { newAgent } from "../../src/agents/newAgent.ts";
import { syncAgents } from "../../src/agents/syncAgents.ts";
import { agentsPlace } from "./agentsPlace.ts";

// Started on a small disk, with a folder of it: makes and synchronizes an agent with ever more room there, and
// prints a line of JSON for each. Run by test/agentsFaults.test.ts.

/** Pages that are free. Closer together where most of what is written is small. */
const ROOM = [0, 2, 5, 13, 30, 80];

const [, , folder = ""] = process.argv;
const at = await agentsPlace(folder);
const filler = join(folder, "filler");
const { host, gitea, mattermost } = at;

/** Leaves so many pages; a page holds a file's bytes, and a folder takes none (tmpfs(5)). */
function leave(pages: number): void {
  rmSync(filler, { force: true });
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(filler, Buffer.alloc((bavail - pages) * bsize));
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    if (error instanceof AgentError) return error.code;
    const { code, message } = error as NodeJS.ErrnoException;
    return `not said: ${code ?? message}`;
  } finally {
    rmSync(filler, { force: true });
  }
}

const options = { repo: "gitea", channel: "mattermost", existing: false } as const;
for (const pages of ROOM) {
  leave(pages);
  const first = await codeOf(() => newAgent(host, "ops", options));
  const left = {
    agents: host.files.agents().length,
    live: host.files.readLive()?.includes("ops") ?? false,
    journal: host.files.journals().length > 0,
    workspace: existsSync(at.workspace("ops")),
    repositories: gitea.repositories.size,
    channels: [...mattermost.channels.values()].filter((each) => each.delete_at === 0).length,
  };
  const again = first === "done" ? first : await codeOf(() => newAgent(host, "ops", options));
  writeFileSync(join(at.workspace("ops"), "MEMORY.md"), "remembered\n".repeat(2_000));
  leave(pages);
  let report: object = {};
  const sync = await codeOf(async () => {
    const [synced] = await syncAgents(host, "ops");
    const { failed = "", pushed = false } = synced?.report ?? {};
    report = { failed, pushed };
  });
  const later = await codeOf(() => syncAgents(host, "ops"));
  const pushed = gitea.git("ops", ["show", "main:MEMORY.md"]).length;
  const gone = await codeOf(() => deleteAgent(host, "ops", true));
  const end = { repositories: gitea.repositories.size, journals: host.files.journals().length };
  process.stdout.write(
    JSON.stringify({ pages, first, left, again, sync, report, later, pushed, gone, end }) + "\n",
  );
}
await at[Symbol.asyncDispose]();
