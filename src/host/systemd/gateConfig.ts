import { readFileSync } from "node:fs";
import { join } from "node:path";
import { issueLeaf, type Authority } from "../../authority/index.ts";
import type { BotPlan } from "../../plan/index.ts";
import type { GateServiceConfig } from "../../services/index.ts";
import { browserSocket } from "../../targets/index.ts";
import { GATE_NAME, gateRules } from "../browserSetup.ts";
import type { Generation } from "../Generation.ts";
import { HostError } from "../HostError.ts";

/** What the gate before a bot's browser is told; `undefined` for a bot without one. */
export async function gateConfig(
  bot: BotPlan,
  options: {
    readonly generation: Generation;
    readonly authority: Authority;
    readonly runtime: string;
    /** Folder of the generation in force, whose certificate is kept while it is good. */
    readonly before: string | undefined;
    readonly isGood: (leaf: Leaf, hosts: readonly string[], caPem: string) => boolean;
    readonly days: number;
  },
): Promise<string | undefined> {
  const { generation, authority, runtime, before, isGood, days } = options;
  const { name } = bot;
  const rules = gateRules(bot, generation.bots[name]?.cas ?? {});
  if (rules === undefined) return undefined;
  const { browser } = generation.programs;
  if (browser === undefined) throw new HostError("damaged-state", "this generation has no browser");
  const hosts = [GATE_NAME];
  const old = before === undefined ? undefined : readLeaf(before, name);
  const leaf =
    old !== undefined && isGood(old, hosts, authority.caPem)
      ? old
      : await issueLeaf(authority, hosts, { days });
  const config: GateServiceConfig = {
    version: 1,
    bot: name,
    rules,
    certificate: { chain: leaf.chain, key: leaf.key },
    executable: browser.chromium,
    browser: browserSocket(runtime, name),
  };
  return `${JSON.stringify(config)}\n`;
}

type Leaf = GateServiceConfig["certificate"];

function readLeaf(generation: string, bot: string): Leaf | undefined {
  try {
    const file = join(generation, "private", bot, "gate.json");
    return (JSON.parse(readFileSync(file, "utf8")) as GateServiceConfig).certificate;
  } catch {
    return undefined;
  }
}
