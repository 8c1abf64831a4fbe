import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrokerBot, BrokerConfig } from "../../src/broker/BrokerConfig.ts";
import type { TestAuthority } from "../../src/broker/testing/certificates.ts";
import { BrokerProcess } from "../../src/broker/testing/brokerProcess.ts";
import { modelGrant } from "../../src/broker/testing/grants.ts";
import { tcpHandle, type TestSocket } from "../../src/broker/testing/rawHandles.ts";
import { BROKER_FLAGS } from "../../src/host/brokerWall.ts";
import { createVault, openVault, SecretValue } from "../../src/secrets/index.ts";
import type { Job, RunningContender } from "./Contender.ts";
import { pin, PROXY_CORE } from "./processes.ts";

/** Each bot may have 128 connections to a host: a thousand streams are ten bots. */
const STREAM_BOTS = 10;

/** The real broker with a vault, rules, redaction and its record, as `seawall up` runs it. */
export async function startSeawall(job: Job, authority: TestAuthority): Promise<RunningContender> {
  const home = mkdtempSync(join(job.folder, "seawall-"));
  const location = { file: join(home, "vault.age"), identity: join(home, "identity") };
  await createVault(location);
  await (await openVault(location)).set("model", new SecretValue(job.secret));

  const scheme = job.tls ? "https" : "http";
  const sockets: TestSocket[] = [];
  const bots: BrokerBot[] = [];
  for (let index = 0; index <= STREAM_BOTS; index += 1) {
    const socket = tcpHandle();
    sockets.push(socket);
    const address = `127.77.0.${index + 1}`;
    const upstream =
      index > 0 ? job.upstream.streams : job.tls ? job.upstream.tls : job.upstream.plain;
    bots.push({
      name: `bot${index}`,
      grants: [
        modelGrant(
          {
            port: socket.port,
            address,
            dial: { host: "127.0.0.1", port: upstream, ca: job.upstreamCa },
          },
          {
            hosts: [{ name: address, port: socket.port, scheme, v4: address }],
            phantom: index === 0 ? job.phantom : `${job.phantom}-${index}`,
          },
        ),
      ],
      certificate: await authority.issue([address]),
    });
  }
  const config: BrokerConfig = {
    secrets: [{ name: "model", source: { store: "vault", key: "model" } }],
    vault: location,
    audit: { file: join(home, "audit.jsonl") },
    bots,
  };
  const cache = join(job.folder, "compile-cache");
  spawnSync(
    process.execPath,
    [fileURLToPath(new URL("../../src/broker/main.ts", import.meta.url))],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
    },
  );
  const broker = new BrokerProcess({ NODE_COMPILE_CACHE: cache }, BROKER_FLAGS);
  await broker.message("started");
  const pid = broker.child.pid ?? 0;
  pin(pid, PROXY_CORE);
  broker.send({ type: "configure", config });
  const answer = await broker.message("configured", "refused");
  if (answer.type === "refused") throw new Error(answer.message);
  for (const [index, { handle, port }] of sockets.entries()) {
    broker.send({ type: "listener", bot: `bot${index}`, protocol: "tcp", port, family: 4 }, handle);
  }
  const [first] = sockets;
  return {
    pids: () => [pid],
    address: "127.77.0.1",
    port: first?.port ?? 0,
    headers: { host: `127.77.0.1:${first?.port}`, "x-api-key": job.phantom },
    streams: sockets.slice(1).map(({ port }, index) => ({
      address: `127.77.0.${index + 2}`,
      port,
      headers: {
        host: `127.77.0.${index + 2}:${port}`,
        "x-api-key": `${job.phantom}-${index + 1}`,
      },
    })),
    async stop() {
      await broker.kill();
      for (const { handle } of sockets) handle.close();
    },
  };
}
