import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrokerBot, BrokerConfig, BrokerGrant } from "../../src/broker/BrokerConfig.ts";
import { BrokerProcess } from "../../src/broker/testing/brokerProcess.ts";
import { makeAuthority } from "../../src/broker/testing/certificates.ts";
import { tcpHandle, udpHandle, type TestSocket } from "../../src/broker/testing/rawHandles.ts";
import { canary, freePort } from "../../src/broker/testing/TestBroker.ts";
import { createVault, openVault, SecretValue } from "../../src/secrets/index.ts";

/**
 * MB of a fresh broker's process with these bots, once it doesn't change any more. Each has the listeners that a
 * namespace gives it, and an ingress; every secret that its grants name is in a vault.
 *
 * @param folder for what it writes; removed by the caller.
 */
export async function residentBroker(
  folder: string,
  bots: readonly (readonly BrokerGrant[])[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const own = mkdtempSync(join(folder, "run-"));
  const location = { file: join(own, "vault.age"), identity: join(own, "identity") };
  await createVault(location);
  const vault = await openVault(location);
  const injected = bots.flat().filter((grant) => grant.kind === "inject");
  const secrets = [...new Set(injected.map(({ secret }) => secret))];
  for (const name of secrets) await vault.set(name, new SecretValue(canary("sk-")));
  const authority = await makeAuthority("bench");
  const configured: BrokerBot[] = [];
  for (const [index, grants] of bots.entries()) {
    const hosts = grants.flatMap((grant) => (grant.kind === "inject" ? grant.hosts : []));
    configured.push({
      name: `bot${index}`,
      grants,
      certificate: await authority.issue([...new Set(hosts.map(({ name }) => name))]),
      ingress: { port: await freePort(), token: canary("token"), controlPage: false },
    });
  }
  const config: BrokerConfig = {
    secrets: secrets.map((name) => ({ name, source: { store: "vault", key: name } })),
    vault: location,
    audit: { file: join(own, "audit.jsonl") },
    bots: configured,
  };
  const broker = new BrokerProcess(env);
  const sockets: TestSocket[] = [];
  try {
    await broker.message("started");
    broker.send({ type: "configure", config });
    const answer = await broker.message("configured", "refused");
    if (answer.type === "refused") throw new Error(answer.message);
    for (const { name } of configured) {
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

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
