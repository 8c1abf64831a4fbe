import { readFileSync, statSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { AgentError } from "./AgentError.ts";
import type { TakenUp } from "./AgentHost.ts";

const PATIENCE_MS = 60_000;
const POLL_MS = 50;
/** Its WebSocket is there up to two seconds after it has said so (measured); what is said before isn't heard. */
const LISTENS_MS = 3_000;

export function sizeOf(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Waits until a running OpenClaw says in its log that it took up a change, in the process that it is; with a
 * Mattermost channel also until that account is connected again, since what is said before is lost on it.
 * What it says was seen with 2026.9.6: `config hot reload applied (agents.entries.ops, …)`, `config reload
 * skipped (invalid config): …`, `[mattermost] connected as @…`.
 *
 * @param from size of the log when the change was written.
 * @throws AgentError `not-taken-up`
 */
export async function awaitTakenUp(
  log: string,
  from: number,
  { agent, channel }: TakenUp,
): Promise<void> {
  for (
    const deadline = performance.now() + PATIENCE_MS;
    performance.now() < deadline;
    await wait(POLL_MS)
  ) {
    const said = readFileSync(log);
    // It begins anew when it has grown large.
    const text = (said.length < from ? said : said.subarray(from)).toString();
    const refused = /config reload skipped \(invalid config\): ([^\n]{0,300})/.exec(text)?.[1];
    if (refused !== undefined)
      throw new AgentError("not-taken-up", `OpenClaw refuses the change: ${refused}`);
    const at = text.search(
      new RegExp(String.raw`config hot reload applied \([^)\n]*agents\.entries\.${agent}\b`),
    );
    if (at < 0) continue;
    if (channel !== "mattermost") return;
    if (!/\[mattermost\] connected as/.test(text.slice(at))) continue;
    await wait(LISTENS_MS);
    return;
  }
  throw new AgentError("not-taken-up", "the running gateway did not take up the change", {
    hint: "look at: seawall logs",
  });
}
