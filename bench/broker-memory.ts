/**
 * What the broker's process takes at idle: the real process, configured with one and with ten bots
 * that have the listeners a namespace gives them (TCP and UDP, IPv4 and IPv6), two grants with a
 * credential each, a vault, and an ingress. Aim: at most 80 MB for one bot, 3 MB for each further one.
 *
 *     node bench/broker-memory.ts [--json]
 *
 * Measured with its code in a compile cache, as `seawall up` starts it, and without one beside it.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrokerGrant } from "../src/broker/BrokerConfig.ts";
import { chatGrant, modelGrant } from "../src/broker/testing/grants.ts";
import { median, residentBroker } from "./support/residentBroker.ts";

const ROUNDS = 3;
const FURTHER = 9;

const folder = mkdtempSync(join(tmpdir(), "seawall-bench-broker-"));
try {
  const cache = join(folder, "cache");
  // Without a channel the broker loads all it ever loads, fills the cache and exits.
  spawnSync(process.execPath, [fileURLToPath(new URL("../src/broker/main.ts", import.meta.url))], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  const cached = await measure({ NODE_COMPILE_CACHE: cache });
  const uncached = await measure({});
  const result = {
    withCompileCache: { ...cached, aim: { oneBotMB: 80, furtherBotMB: 3 } },
    withoutCompileCache: uncached,
    node: process.version,
    rounds: ROUNDS,
  };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    process.stdout.write("broker at idle, resident memory (VmRSS), median\n");
    process.stdout.write(line("with compile cache", cached));
    process.stdout.write(line("without", uncached));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Measured {
  readonly oneBotMB: number;
  readonly tenBotsMB: number;
  readonly furtherBotMB: number;
}

function line(what: string, { oneBotMB, tenBotsMB, furtherBotMB }: Measured): string {
  return `  ${what.padEnd(20)} one bot ${oneBotMB} MB, ten bots ${tenBotsMB} MB, each further bot ${furtherBotMB} MB\n`;
}

function at(host: number): Parameters<typeof modelGrant>[0] {
  return { port: 443, address: `198.18.0.${host}`, dial: {} };
}

async function measure(env: NodeJS.ProcessEnv): Promise<Measured> {
  const ones: number[] = [];
  const tens: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ones.push(await residentBroker(folder, botsWith(1), env));
    tens.push(await residentBroker(folder, botsWith(1 + FURTHER), env));
  }
  const [one, ten] = [median(ones), median(tens)];
  return {
    oneBotMB: rounded(one),
    tenBotsMB: rounded(ten),
    furtherBotMB: rounded((ten - one) / FURTHER),
  };
}

function botsWith(count: number): BrokerGrant[][] {
  return Array.from({ length: count }, () => [modelGrant(at(1)), chatGrant(at(2))]);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
