import assert from "node:assert/strict";
import { join } from "node:path";
import { catalogue } from "../../src/catalogue/index.ts";
import { checkShape } from "../../src/declaration/index.ts";
import { describedFiles } from "../../src/host/described/describedSystem.ts";
import type { MachineDescription } from "../../src/host/index.ts";
import { SERVICE_INSIDE } from "../../src/host/inside.ts";
import { readPin, renderConfig } from "../../src/openclaw/index.ts";
import { clientCommands, makePlan, type Plan } from "../../src/plan/index.ts";
import { FOLDER } from "./evaluate.ts";

/** What our own library makes of a configuration. */
export const facts = (file: string): string => `import ${FOLDER}/evaluate.nix ${file}`;

export interface Facts {
  readonly failed: readonly string[];
  readonly declaration: unknown;
  readonly machine: MachineDescription;
  readonly users: Readonly<Record<string, object>>;
  /** The service that makes what belongs to the machine. */
  readonly prepare: {
    readonly before: readonly string[];
    readonly after: readonly string[];
    readonly wantedBy: readonly string[];
    readonly serviceConfig: Readonly<Record<string, unknown>>;
  };
  readonly dropins: Readonly<Record<string, string>>;
}

export function planOf(value: unknown): Plan {
  const { declaration, faults } = checkShape(value);
  assert.deepEqual(faults, []);
  assert.ok(declaration !== undefined);
  const { plan, faults: more } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  assert.deepEqual(more, []);
  assert.ok(plan !== undefined);
  return plan;
}

/** As `describedGeneration` does, without reading what lies at the paths. */
export function renderedFor(
  plan: Plan,
  machine: MachineDescription,
): ReturnType<typeof describedFiles> {
  const pin = readPin("2026.9.6");
  const root = machine.openclaw["2026.9.6"] ?? "";
  const bots = Object.fromEntries(
    plan.bots.map((bot) => [
      bot.name,
      {
        openclaw: { root, entry: join(root, pin.entry) },
        natives: [],
        rendered: renderConfig(bot, SERVICE_INSIDE, pin),
        commands: bot.commands.map((name) => ({
          name,
          path: `${machine.commands[bot.name]?.[0] ?? ""}/${name}`,
        })),
        cas: {},
      },
    ]),
  );
  const { node, launcher, shell } = machine.programs;
  const client = join(machine.project, "build/seawall-client");
  const hasClients = plan.bots.some((bot) => clientCommands(bot).length > 0);
  const { browser } = machine;
  return describedFiles(
    {
      number: 0,
      created: new Date(0).toISOString(),
      declaration: "/etc/seawall/seawall.json5",
      plan,
      programs: {
        node,
        launcher,
        shell,
        ...(hasClients ? { client } : {}),
        ...(browser && { browser: { chromium: browser.chromium, program: browser.program } }),
      },
      bots,
    },
    { ...machine, nixos: true },
    () => ({
      mounts: [{ kind: "read", from: "/nix/store/glibc/lib", to: "/nix/store/glibc/lib" }],
      libraries: ["/nix/store/glibc/lib"],
      execute: [],
    }),
  );
}
