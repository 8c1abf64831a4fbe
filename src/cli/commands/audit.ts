import {
  botsInForce,
  hasSystemDeployment,
  serviceRecordPaths,
  type StatePaths,
} from "../../host/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { UsageError } from "../UsageError.ts";
import { exportRecord } from "./audit/exportRecord.ts";
import { query } from "./audit/query.ts";
import { tail } from "./audit/tail.ts";
import { verify } from "./audit/verify.ts";

/** What each verb does and which options it takes. */
const VERBS: Readonly<
  Record<string, { run: (call: Call) => Promise<ExitStatus>; options: readonly string[] }>
> = {
  tail: { run: tail, options: ["lines", "follow", "bot"] },
  query: {
    run: query,
    options: [
      "bot",
      "grant",
      "host",
      "kind",
      "outcome",
      "code",
      "decision",
      "method",
      "path-prefix",
      "since",
      "until",
      "limit",
      "count-by",
      "sum",
    ],
  },
  verify: { run: verify, options: ["from", "key", "head", "bot"] },
  export: { run: exportRecord, options: ["format", "since", "until", "bot"] },
};

export const audit: Command = {
  name: "audit",
  usage: "tail | query | verify | export",
  summary: "the record of every call: watch, search, check, export it",
  help: [
    "tail      the last lines, and with --follow what comes",
    "query     the newest calls that fit every filter; or their number, by a field or in all",
    "verify    whether any line was removed, changed, moved or added; exit 1 if so",
    "export    the whole record or a span of it on standard output",
    "",
    "Times are as 2026-11-02, 2026-11-02T08:15Z, or 90m, 36h, 7d ago.",
  ].join("\n"),
  options: {
    lines: { type: "string", short: "n", value: "LINES", help: "tail: how many, 20 if not given" },
    follow: { type: "boolean", short: "f", help: "tail: go on with what is recorded from now on" },
    bot: { type: "string", value: "BOT", help: "of this bot; under systemd each has a record" },
    grant: { type: "string", value: "GRANT", help: "query: under this grant" },
    host: { type: "string", value: "HOST", help: "query: to this host, as name or name:port" },
    kind: { type: "string", value: "KIND", help: "query: call, tunnel, connect, dns or ingress" },
    outcome: { type: "string", value: "OUTCOME", help: "query: done, refused, client-abort, …" },
    code: { type: "string", value: "CODE", help: "query: refused or failed with this code" },
    decision: { type: "string", value: "WORD", help: "query: allow or refuse" },
    method: { type: "string", value: "METHOD", help: "query: with this method" },
    "path-prefix": { type: "string", value: "PATH", help: "query: with a path beginning so" },
    since: { type: "string", value: "TIME", help: "query, export: begun at this time or later" },
    until: { type: "string", value: "TIME", help: "query, export: begun before this time" },
    limit: { type: "string", value: "NUMBER", help: "query: at most so many, 50 if not given" },
    "count-by": {
      type: "string",
      value: "FIELD",
      help: "query: count calls by a field, or by day",
    },
    sum: { type: "string", value: "FIELD", help: "query: add a field up, as bytesIn or tokensOut" },
    from: { type: "string", value: "FILE", help: "verify: begin with this file of the record" },
    key: {
      type: "string",
      value: "KEY",
      help: "verify: trust this public key, in place of the own",
    },
    head: {
      type: "string",
      value: "FILE",
      help: "verify: a copy of audit.head that must still fit",
    },
    format: { type: "string", value: "FORMAT", help: "export: jsonl (as it is) or csv" },
  },
  words: { least: 1, most: 1 },
  run: async (call) => {
    const [name = ""] = call.words;
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
    const hint = "type: seawall audit --help";
    if (verb === undefined) throw new UsageError(`usage: seawall audit ${audit.usage}`, hint);
    const foreign = Object.keys(audit.options).find(
      (option) =>
        (call.flag(option) || call.value(option) !== undefined) && !verb.options.includes(option),
    );
    if (foreign !== undefined)
      throw new UsageError(`audit ${name} doesn't take --${foreign}`, hint);
    return verb.run({ ...call, paths: recordPaths(call, name) });
  },
};

/** Under systemd each bot has a broker and a record of its own; elsewhere one record has all. */
function recordPaths({ value, paths }: Call, verb: string): StatePaths {
  const given = value("bot");
  if (process.getuid?.() !== 0 || !hasSystemDeployment(paths)) {
    if (given === undefined || verb === "tail" || verb === "query") return paths;
    throw new UsageError(`audit ${verb} doesn't take --bot`, "one record has all bots here");
  }
  const bots = botsInForce(paths);
  const bot = given ?? (bots.length === 1 ? bots[0] : undefined);
  if (bot !== undefined && bots.includes(bot)) return serviceRecordPaths(paths, bot);
  throw new UsageError(
    given === undefined ? "each bot has a record of its own" : `there is no bot "${given}"`,
    `name one, as --bot ${bots[0] ?? "NAME"}`,
  );
}
