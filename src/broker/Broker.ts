import { dirname, join } from "node:path";
import type { OpenStores, SecretStore } from "../secrets/index.ts";
import { Audit } from "./audit/Audit.ts";
import type { Outcome } from "./audit/AuditRecord.ts";
import { RepeatFilter } from "./audit/RepeatFilter.ts";
import { Bridge } from "./bridge/Bridge.ts";
import { LocalBridge } from "./bridge/LocalBridge.ts";
import { RemoteBridge } from "./bridge/RemoteBridge.ts";
import { BodyRooms } from "./body/BodyRooms.ts";
import { BrokerError } from "./BrokerError.ts";
import type { BrokerBot, BrokerConfig } from "./BrokerConfig.ts";
import type { BrokerParts, InForce } from "./call/BrokerParts.ts";
import { fetchStored } from "./call/fetchCredential.ts";
import { KnownCalls } from "./call/KnownCalls.ts";
import { RunningCalls } from "./call/RunningCalls.ts";
import { takesFrom } from "./command/handlers/bridge.ts";
import { serveCalls, type CallServer } from "./call/serveCalls.ts";
import { isSigV4 } from "./decide/awsPlace.ts";
import { compileDeployment, type Deployment, type InjectBrokerGrant } from "./Deployment.ts";
import type { Resolve } from "./dial/Destination.ts";
import { systemResolve } from "./dial/systemResolve.ts";
import { UpstreamPools } from "./dial/UpstreamPools.ts";
import { Gate } from "./gate/Gate.ts";
import { UnknownHosts, type SlotAddress } from "./gate/UnknownHosts.ts";
import { fetchAwsKey } from "./inject/fetchAwsKey.ts";
import { fetchSecret } from "./inject/fetchSecret.ts";
import { GatewayDialer } from "./ingress/GatewayDialer.ts";
import { Ingress, type DialGateway } from "./ingress/Ingress.ts";
import { Listeners, type RawHandle } from "./listeners/Listeners.ts";
import { Minter } from "./mint/Minter.ts";
import { ChatNotifier } from "./notify/ChatNotifier.ts";
import { scrub } from "./notify/scrub.ts";
import type { Ask, FromBroker, ToBroker } from "./protocol.ts";
import type { Telemetry } from "./telemetry/Telemetry.ts";
import { TlsEnd } from "./tls/TlsEnd.ts";

/** What the broker needs from the process it runs in. */
export interface BrokerSurroundings {
  send(message: FromBroker): void;
  openStores(config: BrokerConfig): Promise<BrokerStores>;
  readonly resolve?: Resolve;
  readonly timeouts?: Partial<BrokerParts["timeouts"]>;
  /** How a bot's gateway is reached where no supervisor is asked for it. */
  readonly dialGateway?: DialGateway;
  /** The same for the program of a service that a grant has. */
  readonly dialProgram?: BrokerParts["dialProgram"];
  /** Descriptor of a socket that listens already, in place of one of the ingress's own. */
  readonly ingressSocket?: (port: number) => number | undefined;
  /** The same for metrics. */
  readonly metricsSocket?: () => number | undefined;
  /** Where the bridge to other bots is, if it isn't this process. */
  readonly bridgeSocket?: () => string | undefined;
  /** Addresses for hosts that no grant has; see `UnknownHosts`. */
  readonly unknownAddress?: SlotAddress;
  /** See `ChatNotifier`. */
  readonly chatPauseMs?: number;
}

/** Stores that follow what changes; those of a test need not. */
export type BrokerStores = SecretStore & Partial<Omit<OpenStores, "read">>;

/** How often a change of a secret's file is looked for when no call needs it. */
const WATCH_EVERY_MS = 2_000;

/** All bots' calls, in one process. It does what the supervisor's messages say and nothing of its own accord. */
export class Broker {
  readonly #surroundings: BrokerSurroundings;
  readonly #parts: BrokerParts;
  readonly #calls: CallServer;
  readonly #listeners: Listeners;
  readonly #ingress: Ingress;
  readonly #dialer: GatewayDialer;
  readonly #chats: ChatNotifier;
  /** Absent where another process is the bridge. */
  readonly #bridge: Bridge | undefined;
  #inForce: InForce | undefined;
  #stores: BrokerStores | undefined;
  #watch: NodeJS.Timeout | undefined;
  #telemetry: Telemetry | undefined;
  #configuring: Promise<void> = Promise.resolve();

  constructor(surroundings: BrokerSurroundings) {
    this.#surroundings = surroundings;
    const resolve = surroundings.resolve ?? systemResolve();
    const timeouts = {
      clientHello: 10_000,
      connect: 30_000,
      head: 30_000,
      mint: 15_000,
      notify: 15_000,
      ...surroundings.timeouts,
    };
    this.#calls = serveCalls(() => this.#parts, timeouts.head);
    const { bridgeSocket } = surroundings;
    const own = bridgeSocket === undefined ? this.#newBridge() : undefined;
    this.#bridge = own;
    const bridge =
      own === undefined
        ? new RemoteBridge(() => bridgeSocket?.())
        : new LocalBridge(own, (to, from) => {
            const deployment = this.#inForce?.deployment;
            return deployment !== undefined && takesFrom(deployment, to, from);
          });
    this.#parts = {
      inForce: () => this.#inForce,
      repeats: new RepeatFilter(() => this.#audit()),
      running: new RunningCalls(),
      bodies: new BodyRooms(),
      unknown: new UnknownHosts(() => this.#inForce?.deployment, surroundings.unknownAddress),
      gate: new Gate({
        send: (message) => {
          surroundings.send(message);
          if (message.type === "ask") this.#chats.tell(message.ask);
          else if (message.type === "ask-settled") this.#chats.forget(message.id);
        },
        limitsOf: (bot) => this.#inForce?.deployment.bots.get(bot)?.plan.limits,
      }),
      pools: new UpstreamPools(resolve),
      known: new KnownCalls(),
      minter: new Minter({
        resolve,
        send: (message) => {
          surroundings.send(message);
        },
        timeoutMs: timeouts.mint,
      }),
      resolve,
      take: (socket, connection) => {
        this.#calls.take(socket, connection);
      },
      takeProxied: (socket, connection) => {
        this.#calls.takeProxied(socket, connection);
      },
      dialProgram:
        surroundings.dialProgram ?? ((bot, grant) => this.#dialer.dialProgram(bot, grant)),
      bridge,
      timeouts,
      warned: new Set(),
      send: (message) => {
        surroundings.send(message);
      },
    };
    this.#chats = new ChatNotifier(this.#parts, surroundings.chatPauseMs);
    this.#dialer = new GatewayDialer((message) => {
      surroundings.send(message);
    });
    this.#listeners = new Listeners(this.#parts);
    this.#ingress = new Ingress(
      this.#parts,
      surroundings.dialGateway ?? ((bot) => this.#dialer.dial(bot)),
      surroundings.ingressSocket,
    );
  }

  /**
   * Does what one message says; `handle` is what came with it. Configurations are taken one after the
   * other, and each is answered by `configured` or `refused`.
   *
   * @returns when it is done; for `stop`, when nothing runs any more and the process may exit.
   */
  async receive(message: ToBroker, handle?: RawHandle): Promise<void> {
    switch (message.type) {
      case "configure":
        this.#configuring = this.#configuring.then(() => this.#configure(message.config));
        return this.#configuring;
      case "listener":
        if (handle !== undefined) this.#listeners.add(message, handle);
        return;
      case "drop":
        this.#listeners.drop(message.bot);
        this.#dialer.drop(message.bot);
        this.#ingress.drop(message.bot);
        return;
      case "gateway-connection":
        this.#dialer.answer(message, handle);
        return;
      case "answer":
        this.#parts.gate.answer(message);
        return;
      case "refresh-secrets":
        await this.#stores?.refresh?.("all");
        this.#surroundings.send({ type: "secrets-refreshed", id: message.id });
        return;
      case "secrets-read":
        // For whoever opened the stores; see main.ts.
        return;
      case "stop":
        return this.#stop(message.graceMs);
    }
  }

  /** Tells the owner, in the chats of this configuration, of a call that waits at another broker. */
  tell(ask: Ask): void {
    this.#chats.tell(ask);
  }

  /** An ask as others may see it, who don't know what must not be shown; nothing while nothing is in force. */
  shown(ask: Ask): Ask | undefined {
    const deployment = this.#inForce?.deployment;
    if (deployment === undefined) return undefined;
    const clean = (text: string): string => scrub(deployment, text);
    const { path, detail } = ask;
    return {
      ...ask,
      host: clean(ask.host),
      ...(path === undefined ? {} : { path: clean(path) }),
      ...(detail === undefined ? {} : { detail: clean(detail) }),
    };
  }

  /** Records everything that runs as ended so, synchronously, for a process that dies the next moment. */
  abandon(outcome: Outcome): void {
    this.#parts.repeats.flush();
    this.#inForce?.audit.endAll(outcome);
  }

  /** Builds all of the new before anything of the old is touched. */
  async #configure(config: BrokerConfig): Promise<void> {
    const undo: (() => void)[] = [];
    try {
      const store = await this.#surroundings.openStores(config);
      const deployment = compileDeployment(config, store, this.#inForce?.deployment);
      const inject = config.bots.flatMap((bot) =>
        bot.grants.filter((grant) => grant.kind === "inject"),
      );
      const signs = (grant: InjectBrokerGrant): boolean => grant.places.some(isSigV4);
      const signing = inject.filter(signs).map(({ secret }) => secret);
      for (const name of new Set(signing)) await fetchAwsKey(deployment, name, Date.now());
      const used = new Set(inject.filter((each) => !signs(each)).map(({ secret }) => secret));
      used.delete("");
      // At once: one process reads all that come from stores of its kind.
      await Promise.all(
        [...used].map(async (name) => {
          const minted = deployment.minted.get(name);
          if (minted === undefined) await fetchSecret(deployment, name);
          else await this.#parts.minter.check(deployment, minted);
        }),
      );
      const dialled = [
        ...config.bots.flatMap((bot) =>
          bot.grants.flatMap((grant) => grant.dial?.clientCertificate ?? []),
        ),
        ...[...deployment.minted.values()].flatMap(({ dial }) => dial?.clientCertificate ?? []),
      ];
      await compileRedactors(deployment);
      for (const name of new Set(dialled))
        await deployment.clientCertificates.get(deployment, name);
      const tls = new Map(
        config.bots.filter((bot) => endsTls(bot)).map((bot) => [bot.name, this.#tlsEnd(bot)]),
      );
      const old = this.#inForce;
      let audit = old?.audit;
      if (audit?.path !== config.audit.file) {
        const opened = new Audit(
          config.audit.file,
          (text) => this.#inForce?.deployment.unrecorded.scrub(text) ?? text,
          {
            signingKey: config.audit.signingKey,
            onRecord: (read) => this.#telemetry?.observe(read()),
          },
        );
        undo.push(() => {
          opened.close();
        });
        audit = opened;
      }
      undo.push(await this.#openTelemetry(config.telemetry));
      const ports = config.bots.flatMap(({ ingress }) => ingress?.port ?? []);
      undo.push(await this.#ingress.open(ports));

      this.#inForce = { deployment, audit, tls };
      this.#stores?.close?.();
      this.#stores = store;
      this.#watch ??= setInterval(() => void this.#stores?.refresh?.("changed"), WATCH_EVERY_MS);
      audit.rotateAfter(config.audit.rotateBytes);
      this.#telemetry?.retain(config.telemetry);
      this.#ingress.retain(ports);
      this.#parts.pools.retain(
        [...deployment.bots.values()].flatMap((bot) =>
          bot.plan.grants.flatMap((grant) =>
            grant.hosts.map((host) => ({ bot: bot.name, grant, host })),
          ),
        ),
      );
      if (old !== undefined && old.audit !== audit && old.audit.openCalls === 0) old.audit.close();
      this.#parts.minter.retain(deployment.minted.values());
      this.#parts.running.recheck(deployment);
      this.#chats.retain(deployment);
      this.#bridge?.open(join(dirname(audit.path), "bridge.jsonl"));
      this.#parts.gate.open(join(dirname(audit.path), "limits.json"), config.askMs);
      this.#listeners.start();
      this.#surroundings.send({ type: "configured" });
    } catch (error) {
      for (const back of undo) back();
      this.#surroundings.send({ type: "refused", ...describe(error) });
    }
  }

  /** Ends TLS for one bot. What did so before is kept, and its sessions with it, when nothing about it has changed. */
  #tlsEnd(bot: BrokerBot): TlsEnd {
    const before = this.#inForce?.deployment.bots.get(bot.name)?.plan.certificate;
    const there = this.#inForce?.tls.get(bot.name);
    if (
      there !== undefined &&
      before?.chain === bot.certificate.chain &&
      before.key === bot.certificate.key
    )
      return there;
    return new TlsEnd(bot.name, bot.certificate, ["h2", "http/1.1"]);
  }

  #newBridge(): Bridge {
    return new Bridge((warning) => {
      const key = "bridge";
      this.#surroundings.send(
        warning === undefined ? { type: "health-clear", key } : { type: "health", key, warning },
      );
    });
  }

  async #stop(graceMs: number): Promise<void> {
    clearInterval(this.#watch);
    this.#listeners.closeAll();
    this.#ingress.retain([]);
    this.#calls.closeIdle();
    const until = Date.now() + graceMs;
    while ((this.#inForce?.audit.openCalls ?? 0) > 0 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(50, until - Date.now())));
    }
    this.abandon("stopped");
    this.#listeners.cutAll();
    this.#ingress.cutAll();
    this.#parts.pools.destroy();
    this.#parts.gate.close();
    this.#bridge?.close();
    this.#chats.close();
    this.#inForce?.audit.close();
    this.#inForce = undefined;
    this.#telemetry?.close();
  }

  /** Loaded only where it is wanted. */
  async #openTelemetry(wanted: BrokerConfig["telemetry"]): Promise<() => void> {
    if (wanted === undefined) return () => undefined;
    const { Telemetry } = await import("./telemetry/Telemetry.ts");
    this.#telemetry ??= new Telemetry(
      () => this.#inForce?.audit.openCalls ?? 0,
      this.#surroundings.metricsSocket?.(),
    );
    return this.#telemetry.open(wanted);
  }

  #audit(): Audit {
    if (this.#inForce === undefined)
      throw new BrokerError("config-invalid", "nothing is configured");
    return this.#inForce.audit;
  }
}

/** Where messages are looked through for real values, all of them have to be known before the first call. */
async function compileRedactors(deployment: Deployment): Promise<void> {
  const grants = [...deployment.bots.values()]
    .flatMap((bot) => bot.plan.grants)
    .filter((grant) => grant.kind === "inject");
  if (!grants.some((grant) => grant.content !== undefined)) return;
  for (const grant of grants) {
    // A token is known once it was made for a call.
    if (grant.secret === "" || deployment.minted.has(grant.secret)) continue;
    deployment.redactors.get(await fetchStored(deployment, grant), grant);
  }
}

function endsTls(bot: BrokerBot): boolean {
  return bot.grants.some(
    (grant) => grant.kind === "inject" && grant.hosts.some((host) => host.scheme === "https"),
  );
}

/** What the supervisor is told; our own errors' messages are written to be shown, no other's is. */
function describe(error: unknown): { code: string; message: string; hint?: string } {
  if (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    "hint" in error
  ) {
    const { code, message, hint } = error;
    return { code, message, ...(typeof hint === "string" ? { hint } : {}) };
  }
  return { code: "internal", message: "the configuration could not be used" };
}
