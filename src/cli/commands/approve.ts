import { setTimeout as pause } from "node:timers/promises";
import {
  answerService,
  askSupervisor,
  declareAlways,
  hasSystemDeployment,
  HostError,
  serviceAsks,
  supervisedInForce,
  systemInForce,
  type Ask,
  type StatePaths,
} from "../../host/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

const WATCH_MS = 1_000;
/** Far more than the broker lets wait. */
const MOST_ALIKE = 1_000;
const HINT = "type: seawall approve --help";

export const approve: Command = {
  name: "approve",
  usage: "[ID --once | --hour | --always] [--watch]",
  summary: "calls that wait for your word: see them, allow them",
  help: [
    "Without an ID, lists what waits; the beginning of an ID is enough. No answer in time is no.",
    "A call to refuse is refused with: seawall deny ID",
  ].join("\n"),
  options: {
    once: { type: "boolean", help: "allow this call" },
    hour: { type: "boolean", help: "allow it and all by the same rule for an hour" },
    always: {
      type: "boolean",
      help: "write it into the declaration, apply that, and allow this call",
    },
    watch: { type: "boolean", help: "go on listing what comes, until interrupted" },
  },
  words: { least: 0, most: 1 },
  run: async (call) => {
    const scopes = (["once", "hour", "always"] as const).filter((name) => call.flag(name));
    const [scope, ...more] = scopes;
    const [id] = call.words;
    if (more.length > 0 || (id === undefined) !== (scope === undefined)) {
      throw new UsageError("name the call and one of --once, --hour and --always", HINT);
    }
    if (call.flag("watch") && id !== undefined) throw new UsageError("--watch takes no ID", HINT);
    if (call.flag("watch")) return watch(call);
    if (id === undefined || scope === undefined) return list(call);
    return allow(call, id, scope);
  },
};

export const deny: Command = {
  name: "deny",
  usage: "ID [--hour]",
  summary: "refuse a call that waits for your word",
  help: "The beginning of an ID is enough; see what waits with: seawall approve",
  options: {
    hour: { type: "boolean", help: "refuse all by the same rule for an hour" },
  },
  words: { least: 1, most: 1 },
  run: async ({ words: [id = ""], flag, paths, output, json }) => {
    const ask = findAsk(await waiting(paths), id);
    const scope = flag("hour") ? "hour" : "once";
    await answer(paths, ask, "deny", scope);
    if (json) output.json({ ok: true, id: ask.id, verdict: "deny", scope });
    else output.line(`refused: ${askText(ask)}`);
    return 0;
  },
};

async function allow(
  { paths, output, json }: Call,
  prefix: string,
  scope: "once" | "hour" | "always",
): Promise<ExitStatus> {
  const ask = findAsk(await waiting(paths), prefix);
  const { id } = ask;
  if (scope !== "always") {
    await answer(paths, ask, "allow", scope);
    if (json) output.json({ ok: true, id, verdict: "allow", scope });
    else output.line(`allowed: ${askText(ask)}`);
    return 0;
  }
  const inForce = isService(paths)
    ? systemInForce(paths, output.progress)
    : supervisedInForce(paths, output.progress);
  let waited = 0;
  const declared = await declareAlways(inForce, ask, output.progress, async () => {
    waited = await allowAlike(paths, ask);
  });
  waited += await allowAlike(paths, ask);
  if (json) {
    output.json({ ok: true, id, verdict: "allow", scope, waited, ...declared });
    return 0;
  }
  output.line(`${waited > 0 ? "allowed" : "allowed from now on"}: ${askText(ask)}`);
  output.line(`changed ${declared.file}`);
  return 0;
}

/**
 * Allows what still waits by the same rule, and gives how many that were. One by one: an answer for an
 * hour would go on when the declaration is changed back.
 */
async function allowAlike(paths: StatePaths, { bot, grant, host, rule }: Ask): Promise<number> {
  let answered = 0;
  while (answered < MOST_ALIKE) {
    const next = (await waiting(paths)).find(
      (other) =>
        other.bot === bot && other.grant === grant && other.host === host && other.rule === rule,
    );
    if (next === undefined) break;
    try {
      await answer(paths, next, "allow", "once");
      answered += 1;
    } catch (error) {
      // The bot may have given up meanwhile.
      if (!isGone(error)) throw error;
    }
  }
  return answered;
}

async function list({ paths, output, json }: Call): Promise<ExitStatus> {
  const asks = await waiting(paths);
  if (json) output.json({ asks });
  else if (asks.length === 0) output.line("nothing waits for your word");
  else for (const ask of asks) output.line(askLine(ask, Date.now()));
  return 0;
}

/** Lists each once, as it comes; with `--json`, one object a line. */
async function watch({ paths, output, json }: Call): Promise<ExitStatus> {
  const seen = new Set<string>();
  for (;;) {
    const asks = await waiting(paths);
    for (const ask of asks) {
      if (seen.has(ask.id)) continue;
      seen.add(ask.id);
      output.line(json ? JSON.stringify(ask) : askLine(ask, Date.now()));
    }
    await pause(WATCH_MS);
  }
}

/** Whether it is systemd that runs the bots here; root's to know. */
function isService(paths: StatePaths): boolean {
  return process.getuid?.() === 0 && hasSystemDeployment(paths);
}

async function answer(
  paths: StatePaths,
  { id, bot }: Ask,
  verdict: "allow" | "deny",
  scope: "once" | "hour",
): Promise<void> {
  if (isService(paths)) await answerService(paths, { id, bot, verdict, scope });
  else await askSupervisor(paths, { verb: "answer", id, verdict, scope });
}

async function waiting(paths: StatePaths): Promise<readonly Ask[]> {
  if (isService(paths)) return serviceAsks(paths);
  const reply = await askSupervisor(paths, { verb: "asks" });
  return reply.kind === "asks" ? reply.asks : [];
}

function findAsk(asks: readonly Ask[], prefix: string): Ask {
  const found = asks.filter(({ id }) => id.startsWith(prefix));
  const [ask] = found;
  if (ask === undefined || prefix === "") {
    throw new HostError("no-such-ask", `nothing waits under "${prefix.slice(0, 40)}"`, {
      hint: "see what waits with: seawall approve",
    });
  }
  if (found.length > 1)
    throw new UsageError(`several wait under "${prefix}"`, "give more of the ID");
  return ask;
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "no-such-ask";
}

function askLine(ask: Ask, now: number): string {
  const seconds = Math.max(0, Math.round((Date.parse(ask.until) - now) / 1000));
  return `${ask.id.slice(0, 8)}  ${askText(ask)}  (rule ${ask.rule}; ${seconds} s left)`;
}

function askText({ bot, host, method, path, detail }: Ask): string {
  const what = method === undefined ? `connect to ${host}` : `${method} ${host}${path ?? ""}`;
  return `${bot}: ${what}${detail === undefined ? "" : `, ${detail}`}`;
}
