import { join } from "node:path";
import type { BrokerBot, BrokerConfig, BrokerDial } from "../../src/broker/BrokerConfig.ts";
import type { InjectBrokerGrant } from "../../src/broker/Deployment.ts";
import type { TestAuthority } from "../../src/broker/testing/certificates.ts";
import { tcpHandle, udpHandle, type TestSocket } from "../../src/broker/testing/rawHandles.ts";
import { canary, freePort } from "../../src/broker/testing/TestBroker.ts";
import type { HeldListener } from "../../src/host/supervisor/BrokerProcess.ts";
import type { Place, Rule } from "../../src/plan/index.ts";
import type { Outside } from "./Outside.ts";

/** A host as a bot sees it. */
export interface Inside {
  readonly bot: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly phantom: string;
}

/** What there is to be called, and the configurations that take turns. */
export interface Deployment {
  readonly hosts: Readonly<Record<HostName, Inside>>;
  readonly listeners: readonly HeldListener[];
  readonly dns: readonly { readonly bot: string; readonly udp: number; readonly tcp: number }[];
  readonly ingress: { readonly port: number; readonly token: string };
  /** With all that bots have; without what "shoal" may lose; and one that must be refused. */
  readonly configs: {
    readonly full: BrokerConfig;
    readonly less: BrokerConfig;
    readonly wrong: BrokerConfig;
  };
  /** Phantoms and tokens: none may be in anything that is written. */
  readonly markers: readonly string[];
  close(): void;
}

export type HostName =
  | "model"
  | "json"
  | "form"
  | "query"
  | "lost"
  | "dead"
  | "socket"
  | "tunnel"
  | "echo"
  | "shoal"
  | "shoalTunnel";

const HOSTS: readonly (readonly [HostName, string])[] = [
  ["model", "harbour"],
  ["json", "harbour"],
  ["form", "harbour"],
  ["query", "harbour"],
  ["lost", "harbour"],
  ["dead", "harbour"],
  ["socket", "reef"],
  ["tunnel", "reef"],
  ["echo", "reef"],
  ["shoal", "shoal"],
  ["shoalTunnel", "shoal"],
];
export const BOTS = ["harbour", "reef", "shoal"] as const;

/** Longer than a label may be, so that no resolver is ever asked for it. */
const NO_NAME = `${"x".repeat(64)}.soak.test`;
/** Small, so that files are put aside and compressed many times. */
const ROTATE_BYTES = 400_000;
const ASK_MS = 3000;

export function nameOf(host: HostName): string {
  return `${host.toLowerCase()}.soak.test`;
}

export async function makeDeployment(
  outside: Outside,
  inner: TestAuthority,
  place: {
    readonly vault: BrokerConfig["vault"];
    readonly folder: string;
    readonly signingKey: string;
  },
): Promise<Deployment> {
  const sockets: TestSocket[] = [];
  const listeners: HeldListener[] = [];
  const dns: { bot: string; udp: number; tcp: number }[] = [];
  const ports = new Map<string, number>();
  for (const bot of BOTS) {
    const [calls, udp, tcp] = [tcpHandle(), udpHandle(), tcpHandle()];
    sockets.push(calls, udp, tcp);
    const base = { type: "listener", bot, family: 4 } as const;
    listeners.push(
      { message: { ...base, protocol: "tcp", port: calls.port }, handle: calls.handle },
      { message: { ...base, protocol: "udp", port: 53 }, handle: udp.handle },
      { message: { ...base, protocol: "tcp", port: 53 }, handle: tcp.handle },
    );
    ports.set(bot, calls.port);
    dns.push({ bot, udp: udp.port, tcp: tcp.port });
  }
  const hosts = Object.fromEntries(
    HOSTS.map(([host, bot], index) => [
      host,
      {
        bot,
        name: nameOf(host),
        address: `127.80.${index}.2`,
        port: ports.get(bot) ?? 0,
        phantom: canary(`sk-phantom-${index}-`),
      },
    ]),
  ) as Record<HostName, Inside>;
  const token = canary("token-");
  const ingress = { port: await freePort(), token };
  const grants = grantsOf(hosts, outside);
  const bots: BrokerBot[] = [];
  for (const name of BOTS) {
    const own = HOSTS.filter(([, bot]) => bot === name).map(([host]) => nameOf(host));
    bots.push({
      name,
      grants: grants.filter((grant) => grant.hosts.some((host) => own.includes(host.name))),
      certificate: await inner.issue(own),
      ...(name === "harbour" ? { ingress: { ...ingress, controlPage: false } } : {}),
    });
  }
  const full: BrokerConfig = {
    secrets: [{ name: "model", source: { store: "vault", key: "model" } }],
    vault: place.vault,
    audit: {
      file: join(place.folder, "audit.jsonl"),
      rotateBytes: ROTATE_BYTES,
      signingKey: place.signingKey,
    },
    askMs: ASK_MS,
    bots,
  };
  const withGrants = (
    bot: string,
    change: (grants: BrokerBot["grants"]) => BrokerBot["grants"],
  ): BrokerConfig => ({
    ...full,
    bots: bots.map((each) => (each.name === bot ? { ...each, grants: change(each.grants) } : each)),
  });
  return {
    hosts,
    listeners,
    dns,
    ingress,
    configs: {
      full,
      less: withGrants("shoal", () => []),
      wrong: withGrants("shoal", (own) =>
        own.map((grant) => (grant.kind === "inject" ? { ...grant, secret: "nobody's" } : grant)),
      ),
    },
    markers: [...Object.values(hosts).map(({ phantom }) => phantom), token],
    close() {
      for (const { handle } of sockets) handle.close();
    },
  };
}

function grantsOf(hosts: Record<HostName, Inside>, outside: Outside): BrokerBot["grants"] {
  const { ports, ca } = outside;
  const api: BrokerDial = { host: "127.0.0.1", port: ports.api, ca };
  const header: Place = { in: "header", name: "x-api-key", prefix: "" };
  const inject = (
    host: HostName,
    places: readonly Place[],
    dial: BrokerDial,
    more: Partial<InjectBrokerGrant> = {},
  ): InjectBrokerGrant => ({
    kind: "inject",
    name: host,
    service: host,
    hosts: [{ ...placeOf(hosts[host]), scheme: "https" }],
    secret: "model",
    phantom: hosts[host].phantom,
    places,
    rules: RULES,
    anonymous: [],
    dial,
    ...more,
  });
  return [
    inject("model", [header], api, { ask: [{ method: "POST", path: "/v1/asked/**" }] }),
    inject("json", [{ in: "json", pointer: "/auth/token", prefix: "" }], api),
    inject("form", [{ in: "form", name: "token" }], api),
    inject("query", [{ in: "query", name: "key" }], api),
    inject("lost", [header], { ...api, host: NO_NAME }),
    inject("dead", [header], { ...api, port: ports.closed }),
    inject("socket", [header], api),
    inject("shoal", [header], api),
    {
      kind: "tunnel",
      name: "tunnel",
      hosts: [{ ...placeOf(hosts.tunnel), scheme: "https" }],
      dial: { host: "127.0.0.1", port: ports.tunnel },
    },
    {
      kind: "tunnel",
      name: "shoalTunnel",
      hosts: [{ ...placeOf(hosts.shoalTunnel), scheme: "https" }],
      dial: { host: "127.0.0.1", port: ports.tunnel },
    },
    {
      kind: "tcp",
      name: "echo",
      hosts: [{ ...placeOf(hosts.echo), scheme: "tcp" }],
      dial: { host: "127.0.0.1", port: ports.echo },
    },
  ];
}

const RULES: readonly Rule[] = [{ method: "*", path: "/v1/calls/**" }];

function placeOf({ name, address, port }: Inside): { name: string; v4: string; port: number } {
  return { name, v4: address, port };
}
