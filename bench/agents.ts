import { randomBytes } from "node:crypto";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { ensureAuthority, issueLeaf } from "../src/authority/index.ts";
import { Deployment, freePort } from "../test/support/Deployment.ts";
import { startGiteaStandIn } from "../test/support/GiteaStandIn.ts";
import { startMattermostStandIn } from "../test/support/MattermostStandIn.ts";

/**
 * `./dev bench agents [--agents N] [--json]`: N agents (50) are made in one bot with the real OpenClaw and its
 * Mattermost plugin, spoken to in their channels, and deleted, against stand-ins of Gitea and Mattermost with the
 * real git. How long `agent new` takes, beside what its remote calls take by the broker's record; whether the
 * fiftieth takes longer than the first; and that the gateway is the same process in the end.
 */
const REPLY_MS = 120_000;
/** At the start and at the end, to be compared. */
const COMPARED = 5;

const args = process.argv.slice(2);
const count = Number(/^--agents=(\d+)$/m.exec(args.join("\n"))?.[1] ?? 50);
const json = args.includes("--json");

interface Made {
  readonly newMs: number;
  /** Of calls to Gitea, its git and Mattermost, one after the other. */
  readonly remoteMs: number;
  readonly answerMs: number;
  readonly deleteMs: number;
}

const deployment = await Deployment.make();
const folder = join(deployment.folder, "authority");
mkdirSync(folder);
const authority = await ensureAuthority(folder);
writeFileSync(join(deployment.folder, "channels.pem"), authority.caPem);
const tokens = {
  mattermost: randomBytes(13).toString("hex"),
  gitea: randomBytes(20).toString("hex"),
};
const mattermost = await startMattermostStandIn(
  await issueLeaf(authority, ["chat.example.com"]),
  tokens.mattermost,
);
const gitea = await startGiteaStandIn(
  tokens.gitea,
  await issueLeaf(authority, ["git.example.com"]),
);
try {
  for (const [name, value] of Object.entries(tokens))
    await deployment.ok(["secret", "set", name], value);
  declare(await freePort());
  say("starting the bot");
  await deployment.ok(["up"]);
  const before = await gateway();
  const all: Made[] = [];
  let listening = 0;
  const names = Array.from({ length: count }, (_, index) => `agent-${index + 1}`);
  const made = new Map<string, Omit<Made, "deleteMs">>();
  for (const name of names) {
    const began = performance.now();
    const since = Date.now();
    await deployment.ok(["agent", "new", name]);
    const newMs = performance.now() - began;
    const remoteMs = remoteSince(since);
    const [connection] = mattermost.connections.slice(-1);
    if (connection?.open === true && connection.login === "accepted") listening++;
    say(`${name}: new ${seconds(newMs)}, calls ${seconds(remoteMs)}, ${listening} listened`);
    const answerMs = await answers(name);
    made.set(name, { newMs, remoteMs, answerMs });
    say(`${name}: answer ${seconds(answerMs)}`);
  }
  const full = await gateway();
  for (const [name, each] of made) {
    const began = performance.now();
    await deployment.ok(["agent", "delete", name]);
    all.push({ ...each, deleteMs: performance.now() - began });
  }
  const after = await gateway();
  report({ all, before, full, after, listening });
} finally {
  await deployment[Symbol.asyncDispose]();
  await mattermost.close();
  await gitea[Symbol.asyncDispose]();
}

function declare(port: number): void {
  const dial = (at: { readonly port: number }): object => ({
    host: "127.0.0.1",
    port: at.port,
    ca: "channels.pem",
  });
  const { grants } = deployment.bot({ port });
  const more = {
    grants: {
      ...grants,
      mattermost: {
        secret: "mattermost",
        url: "https://chat.example.com",
        allowFrom: [mattermost.userId],
        dial: dial(mattermost),
      },
      gitea: { secret: "gitea", url: "https://git.example.com", dial: dial(gitea) },
    },
    agents: {
      repositories: { gitea: { owner: "nixclaw" } },
      channels: { mattermost: { team: "team", members: ["owner"] } },
    },
  };
  const secrets = ["anthropic", ...Object.keys(tokens)].map((name) => [name, { vault: name }]);
  deployment.declare(
    { a: deployment.bot({ port, more }) },
    { secrets: Object.fromEntries(secrets) },
  );
}

/** A person says something once in its channel; the answer has to come without being asked again. */
async function answers(name: string): Promise<number> {
  const word = randomBytes(4).toString("hex");
  const began = performance.now();
  mattermost.sendAsUser(`Say the word: ${word}`, mattermost.channels.get(name)?.id);
  for (let reply = ""; !reply.includes(word);) reply = await mattermost.nextReply(REPLY_MS);
  return performance.now() - began;
}

/** What the broker of a command wrote of its calls. */
function remoteSince(since: number): number {
  return globSync("runs/*/audit/audit.jsonl", { cwd: deployment.state })
    .flatMap((file) => readFileSync(join(deployment.state, file), "utf8").trimEnd().split("\n"))
    .map((line) => JSON.parse(line) as { kind?: string; time?: string; durationMs?: number })
    .filter(({ kind, time }) => kind === "call" && Date.parse(time ?? "") >= since)
    .reduce((sum, { durationMs = 0 }) => sum + durationMs, 0);
}

interface Gateway {
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly megabytes: number;
}

async function gateway(): Promise<Gateway> {
  const [bot] = (await deployment.status()).bots;
  const status = readFileSync(`/proc/${bot?.pid ?? 0}/status`, "utf8");
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return {
    pid: bot?.pid,
    restarts: bot?.restarts ?? 0,
    megabytes: Math.round(kilobytes / 1024),
  };
}

function report(run: {
  readonly all: readonly Made[];
  readonly before: Gateway;
  readonly full: Gateway;
  readonly after: Gateway;
  /** For how many of them the account was logged in again when `agent new` returned. */
  readonly listening: number;
}): void {
  const { all, before, full, after, listening } = run;
  const part = (some: readonly Made[]): Made => ({
    newMs: median(some.map(({ newMs }) => newMs)),
    remoteMs: median(some.map(({ remoteMs }) => remoteMs)),
    answerMs: median(some.map(({ answerMs }) => answerMs)),
    deleteMs: median(some.map(({ deleteMs }) => deleteMs)),
  });
  const first = part(all.slice(0, COMPARED));
  const last = part(all.slice(-COMPARED));
  const samePid = before.pid === after.pid && after.restarts === before.restarts;
  const machine = { processors: availableParallelism(), load: loadavg()[0] };
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ agents: all.length, first, last, before, full, after, listening, samePid, machine }, null, 2)}\n`,
    );
    return;
  }
  const rows = (["newMs", "remoteMs", "answerMs", "deleteMs"] as const).map(
    (key) => `${key.slice(0, -2).padEnd(8)} ${seconds(first[key])}  ${seconds(last[key])}`,
  );
  process.stdout.write(
    [
      `${all.length} agents; medians of the first and the last ${COMPARED}:`,
      ...rows,
      `its account listened when ${listening} of them were made`,
      `gateway  ${samePid ? "the same process" : "ANOTHER PROCESS"}, ${before.megabytes} MB, with all of them ${full.megabytes} MB, afterwards ${after.megabytes} MB`,
      `${machine.processors} processors, load ${machine.load?.toFixed(1) ?? "?"}`,
      "",
    ].join("\n"),
  );
  if (!samePid) process.exitCode = 1;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`.padStart(7);
}

function say(text: string): void {
  if (!json) process.stderr.write(`${text}\n`);
}
