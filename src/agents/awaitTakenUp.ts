import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { AgentError } from "./AgentError.ts";
import type { TakenUp } from "./AgentHost.ts";

/** 2 to 4 s were measured; on a machine whose load was nine on two cores it took more than a minute. */
const PATIENCE_MS = 180_000;
const POLL_MS = 50;
/** What is said before its WebSocket is there isn't heard; if nothing tells of that, this long has to do. */
const LISTENS_MS = 6_000;

/** What came to a log since something was about to happen, whenever it is asked for. */
export type Since = () => string | Promise<string>;

/** What comes to a file from now on. */
export function sinceNow(file: string): Since {
  const from = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return () => grown(file, from);
}

/**
 * Waits until a running OpenClaw says in its log that it took up a change, in the process that it is; with a
 * Mattermost channel also until that account listens again, since what is said before is lost on it. What it says
 * was seen with 2026.9.6: `config hot reload applied (agents.entries.ops, …)`, `config reload skipped (invalid
 * config): …`, `[mattermost] connected as @…`. The last is said before there is a WebSocket; as soon as that is
 * open the plugin logs in on it and asks the server who it is (2026.9.5), which is in the broker's record.
 *
 * @param at the bot's log and the record, since before the change was written.
 * @throws AgentError `not-taken-up`
 */
export async function awaitTakenUp(
  at: { readonly log: Since; readonly record: Since },
  bot: string,
  { agent, channel }: TakenUp,
): Promise<void> {
  for (
    const deadline = performance.now() + PATIENCE_MS;
    performance.now() < deadline;
    await wait(POLL_MS)
  ) {
    const text = await at.log();
    const refused = /config reload skipped \(invalid config\): ([^\n]{0,300})/.exec(text)?.[1];
    if (refused !== undefined)
      throw new AgentError("not-taken-up", `OpenClaw refuses the change: ${refused}`);
    const applied = text.search(
      new RegExp(String.raw`config hot reload applied \([^)\n]*agents\.entries\.${agent}\b`),
    );
    if (applied < 0) continue;
    if (channel !== "mattermost") return;
    if (!/\[mattermost\] connected as/.test(text.slice(applied))) continue;
    await awaitListening(at.record, bot);
    return;
  }
  throw new AgentError("not-taken-up", "the running gateway did not take up the change", {
    hint: "look at: seawall logs",
  });
}

async function awaitListening(record: Since, bot: string): Promise<void> {
  const deadline = performance.now() + LISTENS_MS;
  while (performance.now() < deadline && !isListening(await record(), bot)) await wait(POLL_MS);
}

/**
 * Whether a bot's Mattermost account asked who it is over the connection that it listens on: the second time since
 * it gave the one before up, as the first question comes before it connects.
 *
 * @param record lines of the broker's record since the change; the last may be half written.
 */
export function isListening(record: string, bot: string): boolean {
  let asked = 0;
  for (const line of record.split("\n")) {
    if (!line.includes("/api/v4/")) continue;
    const said = parse(line);
    if (said?.bot !== bot) continue;
    if (said.path === "/api/v4/websocket") asked = 0;
    else if (said.path === "/api/v4/users/me" && said.status === 200) asked++;
  }
  return asked >= 2;
}

interface Line {
  readonly bot?: unknown;
  readonly path?: unknown;
  readonly status?: unknown;
}

function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

/** What came to it since. It begins anew when it has grown large. */
function grown(file: string, from: number): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(descriptor);
    const start = size < from ? 0 : from;
    const bytes = Buffer.alloc(size - start);
    const got = readSync(descriptor, bytes, 0, bytes.length, start);
    return bytes.subarray(0, got).toString();
  } finally {
    closeSync(descriptor);
  }
}
