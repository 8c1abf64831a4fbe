import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrokerBot, BrokerConfig } from "../../../src/broker/BrokerConfig.ts";
import type { InjectBrokerGrant } from "../../../src/broker/Deployment.ts";
import { BrokerProcess } from "../../../src/broker/testing/brokerProcess.ts";
import { makeAuthority, type TestAuthority } from "../../../src/broker/testing/certificates.ts";
import { tcpHandle, udpHandle, type TestSocket } from "../../../src/broker/testing/rawHandles.ts";
import { canary } from "../../../src/broker/testing/TestBroker.ts";
import { createVault, openVault, SecretValue } from "../../../src/secrets/index.ts";
import type { Feature } from "../Case.ts";
import { makeCertificates } from "../certificates.ts";
import { probeFeatures } from "../probeFeatures.ts";
import type { Lane, Target } from "../Target.ts";
import { Upstream } from "../Upstream.ts";

const FEATURES: readonly Feature[] = [
  "tls",
  "upstream-tls",
  "credential",
  "rules",
  "identity",
  "redaction",
  "dns",
  "proxy",
  "pid",
];

/** Seawall's broker as its own process, with one grant and one server per lane. */
export async function startSeawall(laneCount = 6): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-adversaries-"));
  const authority = await makeAuthority("wall");
  const sockets: TestSocket[] = [];
  const closers: (() => unknown)[] = [];
  const secrets = new Map<string, string>();
  const tcp = tcpHandle();
  const [dnsUdp, dnsTcp] = [udpHandle(), tcpHandle()];
  const proxy = tcpHandle();
  const token = canary("proxy-");
  sockets.push(tcp, dnsUdp, dnsTcp, proxy);

  const foreign = { name: "foreign.adversary.test", phantom: canary("sk-foreign-") };
  const lanes: Lane[] = [];
  const grants: InjectBrokerGrant[] = [];
  for (let index = 0; index < laneCount; index += 1) {
    const made = await makeLane(index, tcp.port, foreign.phantom, secrets, authority);
    const auth = { "proxy-token": token, "proxy-auth": `Proxy-Authorization: Bearer ${token}\r\n` };
    lanes.push({ ...made.lane, words: { ...made.lane.words, ...auth } });
    grants.push(...made.grants);
    closers.push(() => made.lane.upstream.close());
  }
  secrets.set("foreign", canary("sk-real-"));
  const elsewhere = grantFor("foreign", foreign.name, tcp.port, "127.79.9.9", {}, foreign.phantom);
  const bots: BrokerBot[] = [
    { ...(await makeBot("basecamp", grants, authority)), proxy: { port: proxy.port, token } },
    await makeBot("erdos", [elsewhere], authority),
  ];

  const location = { file: join(folder, "vault.age"), identity: join(folder, "identity") };
  await createVault(location);
  const vault = await openVault(location);
  for (const [name, value] of secrets) await vault.set(name, new SecretValue(value));
  const config: BrokerConfig = {
    secrets: [...secrets.keys()].map((name) => ({ name, source: { store: "vault", key: name } })),
    vault: location,
    audit: { file: join(folder, "audit.jsonl") },
    bots,
  };

  const broker = new BrokerProcess();
  closers.push(() => broker.kill());
  await broker.message("started");
  broker.send({ type: "configure", config });
  const answer = await broker.message("configured", "refused");
  if (answer.type === "refused") throw new Error(`the broker refused: ${answer.message}`);
  const listen = (protocol: "tcp" | "udp", port: number, socket: TestSocket): void => {
    broker.send({ type: "listener", bot: "basecamp", protocol, port, family: 4 }, socket.handle);
  };
  listen("tcp", tcp.port, tcp);
  listen("tcp", proxy.port, proxy);
  listen("tcp", 53, dnsTcp);
  listen("udp", 53, dnsUdp);
  // Who connects before the broker has its listeners is refused by the kernel, and a feature that is
  // looked for then isn't found: its cases would all be left out.
  for (const { port } of [tcp, dnsTcp, proxy]) await listening(port);

  const target = {
    name: "seawall",
    features: new Set(FEATURES),
    lanes,
    dns: {
      address: "127.79.0.2",
      udpPort: dnsUdp.port,
      tcpPort: dnsTcp.port,
      granted: lanes[0]?.name ?? "",
    },
    proxy: { address: "127.0.0.1", port: proxy.port },
    ...(broker.child.pid === undefined ? {} : { pid: broker.child.pid }),
    written: () =>
      [
        ...readdirSync(folder)
          .filter((name) => name.startsWith("audit"))
          .map((name) => readFileSync(join(folder, name), "latin1")),
        broker.stderr,
      ].join("\n"),
    async close() {
      for (const close of closers.toReversed()) await close();
      for (const { handle } of sockets) handle.close();
      rmSync(folder, { recursive: true, force: true });
    },
  } satisfies Target;
  await probeFeatures(target, target.features);
  return target;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = net.connect(port, "127.0.0.1");
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function makeLane(
  index: number,
  port: number,
  foreignPhantom: string,
  secrets: Map<string, string>,
  authority: TestAuthority,
): Promise<{ lane: Lane; grants: InjectBrokerGrant[] }> {
  const name = `api${index}.adversary.test`;
  const otherName = `other${index}.adversary.test`;
  const { ca, certificates } = await makeCertificates([name, otherName, "localhost"]);
  const upstream = await Upstream.start(0, certificates);
  const address = `127.79.${index}.2`;
  const others = {
    other: `127.79.${index}.3`,
    rebound: `127.79.${index}.4`,
    nobody: `127.79.${index}.5`,
  };
  const dial = { host: "127.0.0.1", port: upstream.port, ca };
  const phantom = canary("sk-phantom-");
  const otherPhantom = canary("sk-other-");
  const secret = canary("sk-real-");
  secrets
    .set(`lane${index}`, secret)
    .set(`other${index}`, canary("sk-real-"))
    .set(`rebound${index}`, canary("sk-real-"));
  const grants = [
    grantFor(`lane${index}`, name, port, address, dial, phantom),
    grantFor(`other${index}`, otherName, port, others.other, dial, otherPhantom),
    grantFor(
      `rebound${index}`,
      "localhost",
      port,
      others.rebound,
      { port: upstream.port, ca },
      canary("sk-rebound-"),
    ),
  ];
  const host = `${name}:${port}`;
  return {
    grants,
    lane: {
      address,
      port,
      others,
      tls: { ca: authority.ca },
      name,
      plainHead: `Host: ${host}\r\nx-api-key: ${phantom}\r\n`,
      words: {
        seawall: "yes",
        host,
        name,
        port: String(port),
        phantom,
        secret,
        "other-phantom": otherPhantom,
        "foreign-phantom": foreignPhantom,
        "other-host": `${otherName}:${port}`,
        "other-name": otherName,
        "rebound-phantom": grants[2]?.phantom ?? "",
      },
      upstream,
    },
  };
}

function grantFor(
  name: string,
  host: string,
  port: number,
  v4: string,
  dial: NonNullable<InjectBrokerGrant["dial"]>,
  phantom: string,
): InjectBrokerGrant {
  return {
    kind: "inject",
    name,
    service: name,
    hosts: [{ name: host, port, scheme: "https", v4 }],
    secret: name,
    phantom,
    places: [
      { in: "header", name: "x-api-key", prefix: "" },
      { in: "header", name: "authorization", prefix: "Bearer " },
    ],
    rules: [
      { method: "GET", path: "/v1/models/**" },
      { method: "HEAD", path: "/v1/models/**" },
      { method: "POST", path: "/v1/messages" },
      { method: "GET", path: "/v1/socket" },
    ],
    anonymous: [],
    dial,
  };
}

async function makeBot(
  name: string,
  grants: readonly InjectBrokerGrant[],
  authority: TestAuthority,
): Promise<BrokerBot> {
  const names = grants.flatMap((grant) => grant.hosts.map((host) => host.name));
  return { name, grants, certificate: await authority.issue(names) };
}
