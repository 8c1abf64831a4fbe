import { createHash } from "node:crypto";
import type { Random } from "../fuzz/Random.ts";
import { bodyOf, eventOf, LENGTHS, STREAM_CHUNKS } from "./bodies.ts";
import type { Clients } from "./clients.ts";
import type { Deployment, HostName, Inside } from "./deployment.ts";
import type { Expectation, Got, Ledger, MadeCall } from "./Ledger.ts";

/** All that a lane works with. */
export interface Traffic {
  readonly ledger: Ledger;
  readonly clients: Clients;
  readonly deployment: Deployment;
  readonly random: Random;
  /** The CA of the servers outside, for what is passed through. */
  readonly outerCa: string;
  /** Whether `shoal` has its grants in full, and has had them for a while. */
  readonly shoalIs: () => "full" | "less" | "changing";
  /** How often that has changed. */
  readonly changes: () => number;
}

/** One thing that a bot does over and over; resolves when it is over. */
export type Lane = (traffic: Traffic) => Promise<void>;

const WHOLE: Expectation = { get: "whole", status: 200 };
const FAILURE: Expectation = { get: "failure" };

/** Each kind of traffic, and how many do it at once. */
export const LANES: readonly (readonly [name: string, lanes: number, lane: Lane])[] = [
  ["calls", 6, calls],
  ["h2", 2, multiplexed],
  ["streams", 4, streams],
  ["bodies", 2, bodies],
  ["faults", 2, faults],
  ["refused", 2, refused],
  ["guesses", 1, guesses],
  ["asked", 1, asked],
  ["sockets", 2, sockets],
  ["shoal", 2, shoal],
  ["visits", 1, visits],
  ["tunnel", 1, tunnel("tunnel")],
  ["tcp", 1, tunnel("echo")],
  ["shoal-tunnel", 1, tunnel("shoalTunnel")],
  ["dns", 2, dns],
  ["doors", 1, doors],
];

function expectedOf(what: string, { id }: MadeCall, phantom: string): string {
  return bodyOf(id, LENGTHS[what] ?? 400, phantom);
}

/** A plain call to one of the hosts that have their credential in a header. */
async function call(
  { ledger, clients, deployment }: Traffic,
  what: string,
  more: {
    readonly host?: HostName;
    readonly method?: string;
    readonly path?: (id: string) => string;
    readonly key?: string;
    readonly body?: string;
    readonly expect?: Expectation;
    readonly outcomes?: MadeCall["outcomes"];
    readonly leaveAfterMs?: number;
    /** Besides what it is called in its path. */
    readonly named?: string;
    readonly mayVanish?: boolean;
    readonly expected?: (call: MadeCall, phantom: string) => string;
  } = {},
): Promise<Got> {
  const host = deployment.hosts[more.host ?? "model"];
  const { body, leaveAfterMs } = more;
  const made = ledger.begin({
    what: more.named ?? what,
    kind: "call",
    expect: more.expect ?? WHOLE,
    outcomes: more.outcomes ?? ["done"],
    mayVanish: more.mayVanish ?? leaveAfterMs !== undefined,
  });
  const got = await clients.request(
    host,
    {
      method: more.method ?? (body === undefined ? "GET" : "POST"),
      path: more.path?.(made.id) ?? `/v1/calls/${what}-${made.id}`,
      headers: {
        "x-api-key": more.key ?? host.phantom,
        ...(body === undefined ? {} : { "x-sha256": hash(body) }),
      },
      ...(body === undefined ? {} : { body }),
      ...(leaveAfterMs === undefined ? {} : { leaveAfterMs }),
    },
    (more.expected ?? ((it, phantom) => expectedOf(what, it, phantom)))(made, host.phantom),
  );
  ledger.end(made, got);
  return got;
}

async function calls(traffic: Traffic): Promise<void> {
  const { random } = traffic;
  const what = random.pick(["ok", "ok", "ok", "ok", "big", "gzip", "br", "interim", "slow"]);
  if (what === "ok" && random.oneIn(3))
    await call(traffic, "ok", { body: "x".repeat(random.below(50_000)) });
  else await call(traffic, what);
}

async function multiplexed({ ledger, clients, deployment, random }: Traffic): Promise<void> {
  const host = deployment.hosts.model;
  const asks = Array.from({ length: 1 + random.below(8) }, () => {
    const what = random.pick(["ok", "ok", "big", "reset"]);
    const made = ledger.begin({
      what: `h2 ${what}`,
      kind: "call",
      // Node sends END_STREAM before it resets, so whether the answer is whole is a matter of order.
      expect: what === "reset" ? { get: "either", statuses: [200] } : WHOLE,
      outcomes: what === "reset" ? ["upstream-error", "done"] : ["done"],
    });
    const body = what === "ok" && random.oneIn(2) ? "y".repeat(random.below(20_000)) : undefined;
    return {
      path: `/v1/calls/${what}-${made.id}`,
      headers: { "x-api-key": host.phantom },
      ...(body === undefined ? {} : { body }),
      expected: expectedOf(what, made, host.phantom),
      done: (got: Got) => {
        ledger.end(made, got);
      },
    };
  });
  await clients.requests(host, asks);
}

async function streams(traffic: Traffic): Promise<void> {
  await call(traffic, "stream", {
    expected: ({ id }, phantom) =>
      Array.from({ length: STREAM_CHUNKS }, (_, index) => eventOf(id, index + 1, phantom)).join(""),
  });
}

/** The credential in a body or in the query. */
async function bodies(traffic: Traffic): Promise<void> {
  const { ledger, clients, deployment, random } = traffic;
  const what = random.pick(["json", "form", "query"] as const);
  const host = deployment.hosts[what];
  const made = ledger.begin({ what, kind: "call", expect: WHOLE, outcomes: ["done"] });
  const filler = "z".repeat(random.below(20_000));
  const body =
    what === "json"
      ? JSON.stringify({ filler, auth: { token: host.phantom } })
      : what === "form"
        ? `filler=${filler}&token=${host.phantom}`
        : undefined;
  const type = what === "json" ? "application/json" : "application/x-www-form-urlencoded";
  const got = await clients.request(
    host,
    {
      method: body === undefined ? "GET" : "POST",
      path: `/v1/calls/${what}-${made.id}${what === "query" ? `?key=${host.phantom}` : ""}`,
      headers: body === undefined ? {} : { "content-type": type },
      ...(body === undefined ? {} : { body }),
    },
    expectedOf(what, made, host.phantom),
  );
  ledger.end(made, got);
}

/** Servers that fail in every way, hosts that can't be found or reached, clients that go away. */
async function faults(traffic: Traffic): Promise<void> {
  const { random } = traffic;
  const failed = { expect: FAILURE, outcomes: ["upstream-error"] } as const;
  const what = random.pick([
    "reset",
    "gone",
    "short",
    "chunkcut",
    "lie",
    "stall",
    "leave",
    "early",
    "lost",
    "dead",
  ]);
  if (what === "stall")
    await call(traffic, "stall", {
      expect: { get: "nothing" },
      outcomes: ["client-abort"],
      leaveAfterMs: 50 + random.below(400),
    });
  else if (what === "leave")
    // Whether it had come whole by then is chance.
    await call(traffic, "slow", {
      named: "leave",
      expect: { get: "either", statuses: [200] },
      outcomes: ["client-abort", "done"],
      leaveAfterMs: random.below(200),
    });
  else if (what === "early")
    await call(traffic, "early", {
      body: "early".repeat(10_000),
      expect: { get: "either", statuses: [200] },
      outcomes: ["done", "upstream-error", "client-abort"],
    });
  else if (what === "lost" || what === "dead") await call(traffic, what, { host: what, ...failed });
  else await call(traffic, what, failed);
}

/** What no rule allows, and what isn't well formed. */
async function refused(traffic: Traffic): Promise<void> {
  const what = traffic.random.pick(["rule", "method", "none", "path"] as const);
  await call(traffic, `refused-${what}`, {
    method: what === "method" ? "TRACE" : "GET",
    path: (id) =>
      what === "rule"
        ? `/admin/no-${id}`
        : what === "path"
          ? `/v1/calls/%2e%2e/no-${id}`
          : `/v1/calls/no-${id}`,
    ...(what === "none" ? { key: "none" } : {}),
    expect: { get: "whole", status: what === "method" || what === "path" ? 400 : 403 },
    outcomes: ["refused"],
  });
}

/** Tokens of the right shape, and those of others. */
async function guesses(traffic: Traffic): Promise<void> {
  const { random, deployment } = traffic;
  const { phantom } = deployment.hosts.model;
  const changed = `${phantom.slice(0, -1)}${phantom.endsWith("0") ? "1" : "0"}`;
  const key = random.pick([
    changed,
    deployment.hosts.json.phantom,
    deployment.hosts.socket.phantom,
    phantom.replaceAll(/[0-9a-f]/g, () => random.below(16).toString(16)),
  ]);
  await call(traffic, "guess", {
    key,
    path: (id) => `/v1/calls/guess-${id}`,
    expect: { get: "whole", status: 403 },
    outcomes: ["refused"],
  });
}

/** The owner is asked; they say yes, no or nothing. */
async function asked(traffic: Traffic): Promise<void> {
  await call(traffic, "asked", {
    method: "POST",
    path: (id) => `/v1/asked/asked-${id}`,
    body: "please",
    // A bot to which nobody says yes for long may not ask for a while.
    expect: { get: "either", statuses: [200, 403, 429] },
    outcomes: ["done", "refused"],
  });
}

async function sockets({ ledger, clients, deployment, random }: Traffic): Promise<void> {
  const host = deployment.hosts.socket;
  const made = ledger.begin({
    what: "websocket",
    kind: "call",
    expect: { get: "whole", status: 101 },
    outcomes: ["done"],
  });
  const got = await clients.webSocket(
    host,
    `/v1/calls/socket-${made.id}`,
    1 + random.below(60),
    (message) => `${message} your key is ${host.phantom}`,
  );
  ledger.end(made, got);
}

/** A bot whose grants come and go. */
async function shoal(traffic: Traffic): Promise<void> {
  const before = traffic.shoalIs();
  const what = traffic.random.pick(["shoal", "slow"]);
  const turns = traffic.changes();
  const got = await call(traffic, what, {
    named: `shoal ${what}`,
    host: "shoal",
    mayVanish: true,
    expect: { get: "either", statuses: [200, 403, 421] },
    outcomes: ["done", "refused"],
  });
  // What is right is known only where one and the same was in force from its beginning to its end.
  if (before === "changing" || turns !== traffic.changes()) return;
  if (before === "less" && got.status === 200)
    traffic.ledger.fault("a call was made whose grant was taken away");
  if (before === "full" && (got.status ?? 200) !== 200)
    traffic.ledger.fault(`a call was answered ${got.status} though its grant was there`);
}

async function visits({ ledger, clients, deployment }: Traffic): Promise<void> {
  const { port, token } = deployment.ingress;
  const made = ledger.begin({ what: "visit", kind: "ingress", expect: WHOLE, outcomes: ["done"] });
  const got = await clients.visit(
    port,
    `/v1/visit-${made.id}`,
    token,
    bodyOf(made.id, LENGTHS["visit"] ?? 0, "none"),
  );
  ledger.end(made, got);
  // More than twenty a second from one address are sent away, which is right and not looked at here.
  await new Promise((resolve) => setTimeout(resolve, 100));
}

function tunnel(name: "tunnel" | "echo" | "shoalTunnel"): Lane {
  return async ({ ledger, clients, deployment, random, outerCa, shoalIs }) => {
    const host = deployment.hosts[name];
    const before = shoalIs();
    if (name === "shoalTunnel" && before !== "full") {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return;
    }
    const made = {
      lane: name,
      bot: host.bot,
      host: `${host.name}:${host.port}`,
      outcomes: name === "shoalTunnel" ? (["done", "refused"] as const) : (["done"] as const),
      began: Date.now(),
      ended: 0,
      got: undefined,
    };
    ledger.tunnels.push(made);
    const bytes = 1 + random.below(300_000);
    const got = await clients.through(host, bytes, name === "echo" ? undefined : outerCa);
    ledger.end(made, got);
    // Times are in milliseconds: no two of a lane may share one.
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
}

async function dns({ ledger, clients, deployment, random }: Traffic): Promise<void> {
  const { bot, udp, tcp } = random.pick(deployment.dns);
  const own = Object.values(deployment.hosts).filter((host) => host.bot === bot);
  const granted = random.oneIn(2) ? random.pick(own) : undefined;
  const name = granted?.name ?? `vain${random.below(5)}.soak.test`;
  const bytes = random.oneIn(4)
    ? await clients.askTcp(tcp, name)
    : await clients.askUdp(udp, name, 3000);
  if (bytes !== undefined) check(bytes, granted, ledger);
  if (bytes !== undefined && granted === undefined)
    ledger.noted.push({ bot, kind: "dns", code: "not-granted", at: Date.now() });
  await new Promise((resolve) => setTimeout(resolve, 10));
}

function check(bytes: Buffer, granted: Inside | undefined, ledger: Ledger): void {
  const rcode = (bytes[3] ?? 0) & 15;
  if (granted === undefined) {
    if (rcode !== 3) ledger.fault(`a name that nobody has was answered with RCODE ${rcode}`);
    return;
  }
  // The bot that loses its grants loses their names.
  if (granted.bot === "shoal" && rcode === 3) return;
  if (rcode !== 0 || [...bytes.subarray(-4)].join(".") !== granted.address)
    ledger.fault(`${granted.name} was answered with RCODE ${rcode}`);
}

/** No TLS where there must be, and another name than the host's. */
async function doors({ ledger, clients, deployment, random }: Traffic): Promise<void> {
  const how = random.pick(["plain", "other-name"] as const);
  const answered = await clients.knock(deployment.hosts.model, how);
  if (answered)
    ledger.noted.push({
      bot: "harbour",
      kind: "connect",
      code: how === "plain" ? "not-tls" : "sni-mismatch",
      at: Date.now(),
    });
  await new Promise((resolve) => setTimeout(resolve, 100));
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
