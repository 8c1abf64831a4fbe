import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootMachine, type Machine } from "../test/support/Machine.ts";
import { filledStore } from "../test/support/testStore.ts";
import { catalogue } from "../src/catalogue/index.ts";
import { checkShape } from "../src/declaration/index.ts";
import { portableInput } from "../src/host/index.ts";
import { makePlan } from "../src/plan/index.ts";
import { systemdTarget } from "../src/targets/index.ts";

/**
 * `./dev bench systemd [--quick] [--json]`: how long planning and rendering take, from one bot to a thousand; and,
 * as root, in a Debian that is booted for it, how long until a bot answers: after a switch, a rollback,
 * and OpenClaw started by itself on the same machine, without anything round it.
 */
const ROUNDS = 5;

function declarationOf(bots: number): unknown {
  const names = Array.from({ length: bots }, (_, index) => `bot-${index}`);
  return {
    seawall: 1,
    secrets: { anthropic: { vault: "anthropic" }, telegram: { vault: "telegram" } },
    bots: Object.fromEntries(
      names.map((name, index) => [
        name,
        {
          openclaw: "2026.9.6",
          model: "anthropic/claude-sonnet-4-6",
          grants: {
            anthropic: { secret: "anthropic" },
            telegram: { secret: "telegram", allowFrom: [index] },
            "imap.example.com": { tcp: 993 },
          },
          exec: { allow: ["cat", "grep", "ls"] },
          port: 2000 + index,
        },
      ]),
    ),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Milliseconds of this process: a machine that does other work doesn't change it much. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function measure(bots: number): { plan: number; render: number; files: number } {
  const plans: number[] = [];
  const renders: number[] = [];
  let files = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const began = processorTime();
    const { declaration } = checkShape(declarationOf(bots));
    if (declaration === undefined) throw new Error("the declaration is not one");
    const { plan, faults } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
    if (plan === undefined) throw new Error(faults[0]?.message ?? "no plan");
    const planned = processorTime();
    files = systemdTarget.render(portableInput(plan)).length;
    plans.push(planned - began);
    renders.push(processorTime() - planned);
  }
  return { plan: median(plans), render: median(renders), files };
}

const KEY = `sk-ant-api03-${"a".repeat(93)}AA`;
/** `--quick`: once, for a machine that others want, too. */
const ROUND_NAMES = process.argv.includes("--quick") ? ["one"] : ["one", "two", "three"];
const SUPPORT = join(import.meta.dirname, "../test/support");

interface Start {
  readonly what: string;
  readonly seconds: number;
}

async function measureStarts(machine: Machine): Promise<Start[]> {
  const root = join(machine.tree, "root");
  mkdirSync(root, { recursive: true });
  const standIn = machine.start(["node", join(SUPPORT, "machineStandIn.ts"), "/root", KEY]);
  if (standIn.stdout === null) throw new Error("no stand-in");
  await once(standIn.stdout, "data");
  const { port } = JSON.parse(readFileSync(join(root, "stand-ins.json"), "utf8")) as {
    readonly port: number;
  };
  await machine.ok(["secret", "set", "anthropic"], KEY);
  const declare = (more: object, grant: object = {}): void =>
    writeFileSync(
      join(root, "seawall.json5"),
      JSON.stringify({
        seawall: 1,
        secrets: { anthropic: { vault: "anthropic" } },
        bots: {
          basecamp: {
            openclaw: "2026.9.6",
            model: "anthropic/claude-sonnet-4-6",
            grants: {
              anthropic: {
                secret: "anthropic",
                dial: { host: "127.0.0.1", port, ca: "stand-ins.pem" },
                ...grant,
              },
            },
            ...more,
          },
        },
      }),
    );
  const starts: Start[] = [];
  const time = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const began = performance.now();
    await work();
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    starts.push({ what, seconds });
    process.stderr.write(`${what}: ${seconds} s\n`);
  };
  declare({});
  await time("switch, the first of all", () => machine.ok(["switch", "--yes"]));
  for (const name of ROUND_NAMES) {
    await time("OpenClaw by itself", () => startAlone(machine));
    declare({ exec: { allow: name === "two" ? ["ls"] : ["cat"] } });
    await time("switch that restarts the bot", () => machine.ok(["switch", "--yes"]));
    await time("rollback that restarts the bot", () => machine.ok(["rollback"]));
    declare({}, { deny: [`GET /v1/${name}`] });
    await time("switch of rules alone", () => machine.ok(["switch", "--yes"]));
  }
  return starts;
}

/** In a network of its own, since the port is the bot's. Its state is new, as a first start's is. */
async function startAlone(machine: Machine): Promise<void> {
  const command = ["unshare", "--net", "node", join(SUPPORT, "machineOpenClaw.ts")];
  const { code, stderr } = await machine.run(command);
  if (code !== 0) throw new Error(`OpenClaw did not start: ${stderr.slice(-500)}`);
}

function summary(starts: readonly Start[]): { what: string; seconds: number; all: number[] }[] {
  return [...new Set(starts.map(({ what }) => what))].map((what) => {
    const all = starts.flatMap((start) => (start.what === what ? [start.seconds] : []));
    return { what, seconds: median(all), all };
  });
}

const results = [1, 10, 100, 1000].map((bots) => ({ bots, ...measure(bots) }));
const machine = await bootMachine(filledStore);
let starts: ReturnType<typeof summary> = [];
if (typeof machine === "string") process.stderr.write(`no starts: ${machine}\n`);
else {
  try {
    starts = summary(await measureStarts(machine));
  } finally {
    await machine[Symbol.asyncDispose]();
  }
}
if (process.argv.includes("--json"))
  process.stdout.write(`${JSON.stringify({ render: results, starts }, null, 2)}\n`);
else {
  for (const { bots, plan, render, files } of results) {
    const each = ((plan + render) / bots).toFixed(2);
    process.stdout.write(
      `${String(bots).padStart(5)} bots: plan ${plan.toFixed(0)} ms, render ${render.toFixed(0)} ms, ${files} files, ${each} ms a bot\n`,
    );
  }
  for (const { what, seconds, all } of starts)
    process.stdout.write(`${what.padEnd(34)}${seconds.toFixed(1)} s  (${all.join(", ")})\n`);
}
