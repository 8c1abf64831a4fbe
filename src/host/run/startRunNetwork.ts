import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { createServer, Socket, type Server } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { ensureAuthority, issueLeaf, trustBundle } from "../../authority/index.ts";
import type { BrokerConfig } from "../../broker/index.ts";
import { takeLock, type Lock } from "../../files/index.ts";
import type { StatePaths } from "../../paths/index.ts";
import type { RunPlan } from "../../plan/index.ts";
import type { Policy } from "../../profiles/index.ts";
import {
  LAUNCHER,
  CA_BUNDLE,
  RunError,
  type RunNetwork,
  type RunningCommand,
} from "../../run/index.ts";
import { locateVault } from "../../secrets/index.ts";
import { probeHost } from "../../wall/index.ts";
import { publicCas } from "../botLaunch.ts";
import { brokerGrant, brokerMints, phantomEnvironment, terminatedHosts } from "../brokerConfig.ts";
import { brokerWall } from "../brokerWall.ts";
import type { Generation } from "../Generation.ts";
import { phantomKey, signingKey } from "../hostKeys.ts";
import { LogFile } from "../LogFile.ts";
import { BrokerProcess, type HeldListener } from "../supervisor/BrokerProcess.ts";
import { closeHandle, type LaunchMessage, listenerOf } from "../supervisor/launchMessages.ts";
import { brokerCache, warmBroker } from "../warmBroker.ts";
import { planNetwork, type NetworkPlan } from "./planNetwork.ts";

/** No bot can have this name, so its phantoms are no bot's. */
export const NAME = "run.0";
/** Of a second network that one broker has, with what may be called from there. */
export const SECOND_NAME = "run.1";
const LEAF_DAYS = 30;

/** What answers a command's network from outside. */
export interface RunNetworkSide {
  /** For the command's wall. */
  readonly network: RunNetwork;
  readonly onMessage: (message: unknown, handle: unknown) => void;
  /** Connections from the host can be made from now on. */
  attach(running: RunningCommand): void;
  /** Where the broker has written each call, and when it began to. */
  readonly record: { readonly file: string; readonly since: string } | undefined;
  stop(): Promise<void>;
}

/**
 * Starts what a command's network needs: a broker for hosts and credentials, a listener on the host's
 * loopback for a port of its own. Nothing of it is left when `stop` comes back.
 *
 * @throws RunError `no-credential`, `clash`; HostError `broker-refused`; WallError
 */
export async function startRunNetwork(
  policy: Policy,
  paths: StatePaths,
  options: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly askPassphrase: () => Promise<string>;
    /** Port of the proxy that is all the network there is, without user namespaces. */
    readonly onlyProxy?: number;
  },
): Promise<RunNetworkSide> {
  const [listen, ...others] = [...new Set(policy.network.listenPort.map(({ value }) => value))];
  if (others.length > 0) {
    throw new RunError("clash", "only one port can be reached from the host", {
      hint: `keep one of ${[listen, ...others].join(", ")}`,
    });
  }
  const planned = await planNetwork(withProxy(policy, options.onlyProxy), options.env);
  const { plan } = planned;
  const bound = new Set(policy.network.bind.map(({ value }) => value).concat(listen ?? []));
  const taken = plan.ports.find((port) => bound.has(port));
  if (taken !== undefined) {
    throw new RunError("clash", `port ${taken} would be both the broker's and the command's`, {
      hint: "choose another port for one of them",
    });
  }
  const server = listen === undefined ? undefined : await listenOnHost(listen);
  const held: HeldListener[] = [];
  const proxyPort = options.onlyProxy ?? policy.network.proxyPort?.value;
  let broker: BrokerSide | undefined;
  try {
    if (plan.grants.length > 0)
      broker = await startBroker(planned, paths, held, options, proxyPort);
  } catch (error) {
    server?.close();
    throw error;
  }
  const waiting: Socket[] = [];
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    server?.close();
    for (const { handle } of held) closeHandle(handle);
    for (const socket of waiting) socket.destroy();
    await broker?.stop();
  };
  return {
    network: {
      tcp: broker === undefined ? [] : plan.ports,
      ...(listen === undefined ? {} : { dial: listen }),
      ...(broker === undefined || proxyPort === undefined ? {} : { proxy: proxyPort }),
      environment: broker?.environment ?? {},
      ...(broker === undefined ? {} : { trust: broker.trust }),
    },
    record: broker?.record,
    onMessage(message, handle) {
      const said = message as LaunchMessage;
      if (said.type === "listener") {
        const listener: HeldListener = { message: listenerOf(said, { name: NAME }), handle };
        held.push(listener);
        broker?.process.giveListener(listener);
      } else if (said.type === "dialed") relay(waiting.shift(), handle);
      else if (said.type === "dial-failed") waiting.shift()?.destroy();
    },
    attach(running) {
      server?.on("connection", (socket) => {
        socket.on("error", () => undefined);
        waiting.push(socket);
        running.send({ dial: true });
      });
    },
    stop: () => (stopped ??= stop()),
  };
}

function withProxy(policy: Policy, port: number | undefined): Policy {
  if (port === undefined) return policy;
  const origin = { kind: "always", what: "no user namespaces" } as const;
  return { ...policy, network: { ...policy.network, proxyPort: { value: port, origin } } };
}

/** Both ways, until either ends. */
function relay(outside: Socket | undefined, handle: unknown): void {
  if (outside === undefined || handle === null) {
    closeHandle(handle);
    outside?.destroy();
    return;
  }
  const inside = new Socket({ handle } as ConstructorParameters<typeof Socket>[0]);
  inside.on("error", () => outside.destroy());
  outside.on("error", () => inside.destroy());
  inside.on("close", () => outside.end());
  outside.on("close", () => inside.end());
  outside.pipe(inside).pipe(outside);
}

async function listenOnHost(port: number): Promise<Server> {
  const server = createServer({ pauseOnConnect: false, allowHalfOpen: true });
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new RunError("clash", `port ${port} of this host is taken`, {
      hint: "end what listens there, or choose another one with --listen-port",
      cause,
    });
  }
  return server;
}

/** A broker for what no bot is granted, and what its network's other side has to know. */
export interface BrokerSide {
  readonly process: BrokerProcess;
  readonly environment: Readonly<Record<string, string>>;
  /** Of the second network. */
  readonly secondEnvironment: Readonly<Record<string, string>>;
  readonly trust: string;
  readonly record: { readonly file: string; readonly since: string };
  stop(): Promise<void>;
}

/** @param planned.second what may be called from a second network; its secrets are among the others. */
export async function startBroker(
  {
    plan,
    secrets,
    mintCas,
    cas = {},
    second,
  }: NetworkPlan & { readonly second?: RunPlan | undefined },
  paths: StatePaths,
  held: readonly HeldListener[],
  options: { readonly askPassphrase: () => Promise<string>; readonly onlyProxy?: number },
  proxyPort: number | undefined,
): Promise<BrokerSide> {
  const shared = options.onlyProxy !== undefined;
  mkdirSync(paths.vault.folder, { recursive: true, mode: 0o700 });
  mkdirSync(paths.store, { recursive: true, mode: 0o755 });
  const vault = await locateVault(paths.vault.folder);
  const inVault = secrets.find(({ source }) => source.store === "vault");
  if (inVault !== undefined && !vault.exists) {
    throw new RunError(
      "no-credential",
      `there is no secret "${inVault.name}": the vault is empty`,
      { hint: `store it with: seawall secret set ${inVault.name}` },
    );
  }
  const passphrase =
    inVault !== undefined && vault.sealed ? { passphrase: await options.askPassphrase() } : {};
  if (!existsSync(brokerCache(paths.store))) await warmBroker(process.execPath, paths.store);
  const folder = await freeFolder(join(paths.root, "runs"));
  const record = {
    file: join(folder.path, "audit", "audit.jsonl"),
    since: new Date().toISOString(),
  };
  const authority = await ensureAuthority(paths.authority);
  const key = phantomKey(paths);
  const bot = { ...plan, name: NAME };
  const other = second === undefined ? undefined : { ...second, name: SECOND_NAME };
  const certificateOf = async ({ grants }: Pick<RunPlan, "grants">) => {
    const leaf = await issueLeaf(authority, terminatedHosts({ grants }), { days: LEAF_DAYS });
    return { chain: leaf.chain, key: leaf.key };
  };
  // A port of the host's own loopback is everybody's; who may use it says so.
  const token = shared ? { token: randomBytes(32).toString("base64url") } : undefined;
  const config: BrokerConfig = {
    secrets,
    ...brokerMints({ plan: mintedOf(plan, second), mintCas }),
    vault: { file: vault.file, identity: vault.identity, ...passphrase },
    audit: { file: record.file, signingKey: signingKey(paths) },
    bots: [
      {
        name: NAME,
        grants: plan.grants.map((grant) => brokerGrant(grant, NAME, key, cas[grant.name])),
        certificate: await certificateOf(plan),
        ...(proxyPort === undefined ? {} : { proxy: { port: proxyPort, ...token } }),
      },
      ...(other === undefined
        ? []
        : [
            {
              name: SECOND_NAME,
              grants: other.grants.map((grant) =>
                brokerGrant(grant, SECOND_NAME, key, cas[grant.name]),
              ),
              certificate: await certificateOf(other),
            },
          ]),
    ],
  };
  const log = new LogFile(join(folder.path, "broker.log"));
  const broker = new BrokerProcess({
    log,
    callbacks: { onDial: () => undefined, onAsk: () => undefined, listeners: () => held },
  });
  const stop = async (): Promise<void> => {
    await broker.stop();
    log.close();
    folder.lock.release();
  };
  try {
    const capabilities = await probeHost({ launcher: LAUNCHER });
    const generation = {
      plan: { version: 1, secrets, bots: [] },
      programs: { node: process.execPath, launcher: LAUNCHER, shell: "/bin/sh" },
    } as unknown as Generation;
    const runPaths = { ...paths, audit: join(folder.path, "audit") };
    await broker.useWall(brokerWall(generation, runPaths, capabilities), LAUNCHER);
    const { programs } = generation;
    await broker.configure(config, {
      programs,
      paths: runPaths,
      capabilities,
      config,
      concessions: [],
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    process: broker,
    environment: {
      ...trustEnvironment(),
      ...phantomEnvironment(bot, key),
      ...proxyEnvironment(proxyPort, token?.token),
    },
    secondEnvironment:
      other === undefined ? {} : { ...trustEnvironment(), ...phantomEnvironment(other, key) },
    trust: trustBundle(publicCas(), authority.caPem),
    record,
    stop,
  };
}

/** A secret that both make is made once. */
function mintedOf(...plans: readonly (RunPlan | undefined)[]): Pick<RunPlan, "minted"> {
  const all = plans.flatMap((plan) => plan?.minted ?? []);
  if (all.length === 0) return {};
  return { minted: [...new Map(all.map((minted) => [minted.name, minted])).values()] };
}

/** What the usual TLS clients look at. */
function trustEnvironment(): Record<string, string> {
  const names = [
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
  ];
  return Object.fromEntries(names.map((name) => [name, CA_BUNDLE]));
}

/** For clients that want a proxy; everything else reaches the broker without one. */
function proxyEnvironment(
  port: number | undefined,
  token: string | undefined,
): Record<string, string> {
  if (port === undefined) return {};
  const proxy = `http://${token === undefined ? "" : `run:${token}@`}127.0.0.1:${port}`;
  return { HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: "localhost,127.0.0.1,::1" };
}

/** One record has one writer, so each run at the same time has a folder of its own. */
async function freeFolder(root: string): Promise<{ readonly path: string; readonly lock: Lock }> {
  for (let number = 1; ; number++) {
    const path = join(root, String(number));
    mkdirSync(join(path, "audit"), { recursive: true, mode: 0o700 });
    const lock = await takeLock(join(path, "lock"), 0);
    if (lock !== undefined) return { path, lock };
  }
}
