import { catalogue } from "../src/catalogue/index.ts";
import { checkShape } from "../src/declaration/index.ts";
import { portableInput } from "../src/host/index.ts";
import { makePlan } from "../src/plan/index.ts";
import { systemdTarget } from "../src/targets/index.ts";

/**
 * How long planning and rendering for systemd take, from one bot to a thousand: `./dev bench targets
 * [--json]`. Median of several rounds; the last column shows whether it grows with the number of bots.
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

function measure(bots: number): { plan: number; render: number; files: number } {
  const plans: number[] = [];
  const renders: number[] = [];
  let files = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const { declaration } = checkShape(declarationOf(bots));
    if (declaration === undefined) throw new Error("the declaration is not one");
    const { plan, faults } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
    if (plan === undefined) throw new Error(faults[0]?.message ?? "no plan");
    const planned = performance.now();
    files = systemdTarget.render(portableInput(plan)).length;
    plans.push(planned - began);
    renders.push(performance.now() - planned);
  }
  return { plan: median(plans), render: median(renders), files };
}

const results = [1, 10, 100, 1000].map((bots) => ({ bots, ...measure(bots) }));
if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
else {
  for (const { bots, plan, render, files } of results) {
    const each = ((plan + render) / bots).toFixed(2);
    process.stdout.write(
      `${String(bots).padStart(5)} bots: plan ${plan.toFixed(0)} ms, render ${render.toFixed(0)} ms, ${files} files, ${each} ms a bot\n`,
    );
  }
}
