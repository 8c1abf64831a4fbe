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
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrokerBot, BrokerConfig } from "../src/broker/BrokerConfig.ts";
import { BrokerProcess } from "../src/broker/testing/brokerProcess.ts";
import { makeAuthority } from "../src/broker/testing/certificates.ts";
import { chatGrant, modelGrant } from "../src/broker/testing/grants.ts";
import { tcpHandle, udpHandle, type TestSocket } from "../src/broker/testing/rawHandles.ts";
import { canary, freePort } from "../src/broker/testing/TestBroker.ts";
import { createVault, openVault, SecretValue } from "../src/secrets/index.ts";

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
    ones.push(await residentWith(1, env));
    tens.push(await residentWith(1 + FURTHER, env));
  }
  const [one, ten] = [median(ones), median(tens)];
  return {
    oneBotMB: rounded(one),
    tenBotsMB: rounded(ten),
    furtherBotMB: rounded((ten - one) / FURTHER),
  };
}

/** MB of a fresh broker with so many bots, once it doesn't change any more. */
async function residentWith(count: number, env: NodeJS.ProcessEnv): Promise<number> {
  const own = mkdtempSync(join(folder, "run-"));
  const location = { file: join(own, "vault.age"), identity: join(own, "identity") };
  await createVault(location);
  const vault = await openVault(location);
  const secrets = ["model", "chat"];
  for (const name of secrets) await vault.set(name, new SecretValue(canary("sk-")));
  const authority = await makeAuthority("bench");
  const bots: BrokerBot[] = [];
  for (let index = 0; index < count; index += 1) {
    bots.push({
      name: `bot${index}`,
      grants: [modelGrant(at(1)), chatGrant(at(2))],
      certificate: await authority.issue(["api.model.test", "api.chat.test"]),
      ingress: { port: await freePort(), token: canary("token"), controlPage: false },
    });
  }
  const config: BrokerConfig = {
    secrets: secrets.map((name) => ({ name, source: { store: "vault", key: name } })),
    vault: location,
    audit: { file: join(own, "audit.jsonl") },
    bots,
  };
  const broker = new BrokerProcess(env);
  const sockets: TestSocket[] = [];
  try {
    await broker.message("started");
    broker.send({ type: "configure", config });
    const answer = await broker.message("configured", "refused");
    if (answer.type === "refused") throw new Error(answer.message);
    for (const { name } of bots) {
      for (const [family, address] of [
        [4, "0.0.0.0"],
        [6, "::1"],
      ] as const) {
        const tcp = tcpHandle(address);
        const udp = udpHandle(address);
        sockets.push(tcp, udp);
        broker.send(
          { type: "listener", bot: name, protocol: "tcp", port: 443, family },
          tcp.handle,
        );
        broker.send({ type: "listener", bot: name, protocol: "udp", port: 53, family }, udp.handle);
      }
    }
    return await settled(broker.child.pid ?? 0);
  } finally {
    await broker.kill();
    for (const { handle } of sockets) handle.close();
  }
}

/** VmRSS once it was the same for a second, in MB. */
async function settled(pid: number): Promise<number> {
  for (let last = 0, same = 0; ;) {
    const now =
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
    same = Math.abs(now - last) < 0.1 ? same + 1 : 0;
    last = now;
    if (same >= 10) return now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
