import type { Ask } from "../../broker/index.ts";
import type { StatePaths } from "../../paths/index.ts";
import { HostError } from "../HostError.ts";
import { askBroker } from "./askBroker.ts";
import { currentSystemGeneration, readSystemGeneration } from "./SystemGeneration.ts";
import { systemPaths } from "./systemPaths.ts";

/** Calls that wait for the owner's word at any of the brokers that systemd runs. */
export async function serviceAsks(paths: StatePaths): Promise<Ask[]> {
  const places = systemPaths(paths);
  const replies = await Promise.all(
    botsInForce(paths).map((bot) => askBroker(places, bot, { verb: "status" })),
  );
  return replies.flatMap((reply) => (reply?.ok === true ? (reply.asks ?? []) : []));
}

/** @throws HostError `no-such-ask` when it waits no more. */
export async function answerService(
  paths: StatePaths,
  answer: Pick<Ask, "id" | "bot"> & {
    readonly verdict: "allow" | "deny";
    readonly scope: "once" | "hour";
  },
): Promise<void> {
  const { id, bot, verdict, scope } = answer;
  const reply = await askBroker(systemPaths(paths), bot, { verb: "answer", id, verdict, scope });
  if (reply?.ok === true) return;
  throw new HostError("no-such-ask", "the call waits no more", {
    hint: "see what waits with: seawall approve",
  });
}

/** Names of the bots that systemd runs; none where it runs none. */
export function botsInForce(paths: StatePaths): string[] {
  const places = systemPaths(paths);
  const number = currentSystemGeneration(places);
  return number === undefined
    ? []
    : readSystemGeneration(places, number).plan.bots.map(({ name }) => name);
}

/** Where the record of one bot's calls is, in place of the record of all. */
export function serviceRecordPaths(paths: StatePaths, bot: string): StatePaths {
  const { state } = systemPaths(paths);
  // The index is root's: never where a broker writes.
  return {
    ...paths,
    audit: `${state}/audit/${bot}`,
    auditIndex: `${state}/audit.${bot}.index.sqlite`,
  };
}
