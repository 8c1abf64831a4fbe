import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { createVault, openVault, SecretValue } from "../secrets/index.ts";
import type { AuditRecord } from "./audit/AuditRecord.ts";
import type { BrokerConfig } from "./BrokerConfig.ts";
import type { InjectBrokerGrant } from "./Deployment.ts";
import type { RawHandle } from "./listeners/Listeners.ts";
import { BrokerProcess } from "./testing/brokerProcess.ts";
import { makeAuthority, type TestAuthority } from "./testing/certificates.ts";
import { modelGrant } from "./testing/grants.ts";
import { tcpHandle, udpHandle, type TestSocket } from "./testing/rawHandles.ts";
import { canary, freePort } from "./testing/TestBroker.ts";

const ADDRESS = "127.78.0.2";

function isCrash(record: AuditRecord): boolean {
  return record.outcome === "broker-crash" && record.path === "/v1/models/hang";
}

describe("the broker's process, given raw handles by a parent as the supervisor gives them", () => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-broker-main-"));
  const secret = canary("sk-real-");
  const token = canary("token");
  let authority: TestAuthority;
  let config: BrokerConfig;
  let grant: InjectBrokerGrant;
  let tcp: TestSocket;
  let udp: TestSocket;
  let upstream: tls.Server;
  let gateway: http.Server;
  const hanging: Socket[] = [];
  let broker: BrokerProcess;

  before(async () => {
    authority = await makeAuthority("both");
    const { chain, key } = await authority.issue(["api.model.test"]);
    const inner = http.createServer((request, response) => {
      if (request.url === "/v1/models/hang") {
        hanging.push(request.socket);
        response.write("begun");
      } else response.end(`got ${String(request.headers["x-api-key"])}`);
    });
    upstream = tls.createServer({ cert: chain, key }, (socket) => inner.emit("connection", socket));
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
    gateway = http.createServer((request, response) =>
      response.end(`gateway ${request.url ?? ""}`),
    );
    gateway.listen(0, "127.0.0.1");
    await once(gateway, "listening");

    const location = { file: join(folder, "vault.age"), identity: join(folder, "identity") };
    await createVault(location);
    const vault = await openVault(location);
    await vault.set("model", new SecretValue(secret));

    tcp = tcpHandle();
    udp = udpHandle();
    grant = modelGrant({
      port: tcp.port,
      address: ADDRESS,
      dial: { host: "127.0.0.1", port: (upstream.address() as AddressInfo).port, ca: authority.ca },
    });
    config = {
      secrets: [{ name: "model", source: { store: "vault", key: "model" } }],
      vault: location,
      audit: { file: join(folder, "audit.jsonl") },
      bots: [
        {
          name: "basecamp",
          grants: [grant],
          certificate: { chain, key },
          ingress: { port: await freePort(), token, controlPage: false },
        },
      ],
    };
    broker = await startBroker();
  });
  after(async () => {
    await broker.kill();
    tcp.handle.close();
    udp.handle.close();
    upstream.close();
    gateway.close();
    gateway.closeAllConnections();
    for (const socket of hanging) socket.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startBroker(): Promise<BrokerProcess> {
    const started = new BrokerProcess();
    await started.message("started");
    // Before the configuration: what comes in meanwhile waits.
    started.send(
      { type: "listener", bot: "basecamp", protocol: "tcp", port: tcp.port, family: 4 },
      tcp.handle,
    );
    started.send(
      { type: "listener", bot: "basecamp", protocol: "udp", port: 53, family: 4 },
      udp.handle,
    );
    started.send({ type: "configure", config });
    assert.equal((await started.message("configured", "refused")).type, "configured");
    return started;
  }

  function records(): AuditRecord[] {
    return readFileSync(config.audit.file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as AuditRecord);
  }

  async function ask(path: string): Promise<{ socket: tls.TLSSocket; first: string }> {
    const socket = tls.connect({
      host: ADDRESS,
      port: tcp.port,
      servername: "api.model.test",
      ca: authority.ca,
    });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: api.model.test:${tcp.port}\r\nx-api-key: ${grant.phantom}\r\n\r\n`,
    );
    const [chunk] = (await once(socket, "data")) as [Buffer];
    return { socket, first: chunk.toString() };
  }

  test("a call through a listener made by the parent", async () => {
    const { socket, first } = await ask("/v1/models/x");
    socket.destroy();
    assert.match(first, /^HTTP\/1\.1 200/);
    assert.ok(!first.includes(secret));
  });

  test("a DNS question to a datagram socket made by the parent", async () => {
    const client = dgram.createSocket("udp4");
    const question = Buffer.from(
      "12340100000100000000000003617069056d6f64656c04746573740000010001",
      "hex",
    );
    client.send(question, udp.port, "127.0.0.1");
    const [reply] = (await once(client, "message")) as [Buffer];
    client.close();
    assert.deepEqual([...reply.subarray(-4)], [127, 78, 0, 2]);
  });

  test("a visit relayed over a connection that the parent made", async () => {
    const visit = fetch(`http://127.0.0.1:${config.bots[0]?.ingress?.port ?? 0}/v1/x`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const asked = await broker.message("dial-gateway");
    assert.equal(asked.bot, "basecamp");
    // Paused: this process must not read what is the broker's.
    const socket = net.connect((gateway.address() as AddressInfo).port, "127.0.0.1").pause();
    await once(socket, "connect");
    const handle = Reflect.get(socket, "_handle") as RawHandle;
    broker.send({ type: "gateway-connection", id: asked.id }, handle);
    const reply = await visit;
    assert.equal(await reply.text(), "gateway /v1/x");
    socket.destroy();
    const again = fetch(`http://127.0.0.1:${config.bots[0]?.ingress?.port ?? 0}/healthz`);
    broker.send({
      type: "gateway-connection",
      id: (await broker.message("dial-gateway")).id,
      error: "no bot",
    });
    assert.equal((await again).status, 502);
  });

  test("after SIGKILL in the middle of a call the next broker gets the same listeners and records the call once", async () => {
    const { socket } = await ask("/v1/models/hang");
    const before = records().length;
    await broker.kill();
    socket.destroy();
    assert.equal(records().length, before);
    broker = await startBroker();
    const crashed = records().filter(isCrash);
    assert.equal(crashed.length, 1);
    assert.equal(crashed[0]?.path, "/v1/models/hang");
    const { socket: next, first } = await ask("/v1/models/x");
    next.destroy();
    assert.match(first, /^HTTP\/1\.1 200/);
    await broker.kill();
    broker = await startBroker();
    assert.equal(records().filter(isCrash).length, 1);
  });

  test("stop lets no call run beyond its grace and exits 0", async () => {
    const { socket } = await ask("/v1/models/hang");
    broker.send({ type: "stop", graceMs: 20 });
    assert.equal(await broker.exit(), 0);
    socket.destroy();
    assert.equal(records().at(-1)?.outcome, "stopped");
    broker = await startBroker();
  });

  test("the end of the channel ends the process, what runs being recorded", async () => {
    const { socket } = await ask("/v1/models/hang");
    broker.child.disconnect();
    assert.equal(await broker.exit(), 0);
    socket.destroy();
    assert.equal(records().at(-1)?.outcome, "stopped");
    broker = await startBroker();
  });

  test("a vault that can't be opened is refused with the store's own code", async () => {
    broker.send({
      type: "configure",
      config: { ...config, vault: { ...config.vault, file: join(folder, "none") } },
    });
    const answer = await broker.message("configured", "refused");
    assert.equal(answer.type, "refused");
    const { socket, first } = await ask("/v1/models/x");
    socket.destroy();
    assert.match(first, /^HTTP\/1\.1 200/);
  });

  test("without a channel it exits 2", () => {
    const { status } = spawnSync(
      process.execPath,
      [fileURLToPath(new URL("main.ts", import.meta.url))],
      { encoding: "utf8" },
    );
    assert.equal(status, 2);
  });

  test("nothing it wrote holds the secret, the phantom or the token", () => {
    const all =
      readFileSync(config.audit.file, "latin1") +
      readFileSync(`${config.audit.file}.journal`, "latin1") +
      broker.stderr;
    for (const marker of [secret, grant.phantom, token])
      assert.ok(!all.includes(marker.slice(-20)));
  });
});
