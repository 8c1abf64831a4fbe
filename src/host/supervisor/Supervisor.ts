import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ensureAuthority } from "../../authority/index.ts";
import type { Ask, BrokerConfig } from "../../broker/index.ts";
import { locateVault } from "../../secrets/index.ts";
import {
  probeHost,
  proveSeatbelt,
  type CompiledWall,
  type HostCapabilities,
} from "../../wall/index.ts";
import { agentsBase } from "../agentsFolder.ts";
import { agentWarnings } from "../agentWarnings.ts";
import { botLaunch } from "../botLaunch.ts";
import { assignUsers } from "../botUsers.ts";
import { brokerConfig, proxyToken } from "../brokerConfig.ts";
import { browserBots, browserSetup, browserUser, type BrowserSetup } from "../browserSetup.ts";
import { brokerWall } from "../brokerWall.ts";
import { containerLaunches, type ContainerLaunch } from "../containers/containerLaunches.ts";
import { readGeneration, setCurrentGeneration, type Generation } from "../Generation.ts";
import { HostError } from "../HostError.ts";
import { phantomKey } from "../hostKeys.ts";
import { LogFile } from "../LogFile.ts";
import type { StatePaths } from "../../paths/index.ts";
import type { Plan } from "../../plan/index.ts";
import { ownConcessions } from "../ownProcess.ts";
import { planWarnings } from "../planWarnings.ts";
import { forgetTold } from "../shared/sharedFiles.ts";
import { SharedPorts, type SharedPort } from "../shared/SharedPorts.ts";
import type { HealthWarning, SupervisorStatus } from "../status.ts";
import { AgentRounds } from "./AgentRounds.ts";
import { BotProcess, type BotLaunch } from "./BotProcess.ts";
import { BrokerProcess } from "./BrokerProcess.ts";
import { BrowserService } from "./BrowserService.ts";
import { ContainerKeepers } from "./ContainerKeepers.ts";
import type { StoreContext } from "../readStores.ts";
import { installPlugins } from "./installPlugins.ts";
import { Notifier } from "./Notifier.ts";

/**
 * One that ends is noticed at once. OpenClaw was measured to be ready in 8 to 22 s; with five channels on a busy
 * machine of two cores it took over three minutes.
 */
const BOT_READY_MS = 480_000;
const STILL_WAITING_MS = 60_000;
const RENEW_MS = 24 * 60 * 60 * 1_000;

type Progress = (text: string) => void;

/** A generation with everything that putting it in force takes. */
interface Prepared {
  readonly generation: Generation;
  readonly config: BrokerConfig;
  readonly launches: readonly BotLaunch[];
  readonly brokerWall: CompiledWall;
  readonly stores: StoreContext;
  readonly browsers: BrowserSetup | undefined;
  readonly containers: readonly ContainerLaunch[];
}

/** Runs one deployment: the broker and every bot, as the generation in force says. */
export class Supervisor {
  readonly #paths: StatePaths;
  readonly #since = new Date();
  readonly #log: LogFile;
  readonly #bots = new Map<string, BotProcess>();
  readonly #notifier: Notifier;
  readonly #rounds: AgentRounds;
  readonly #ports = new SharedPorts();
  /** From the first bot that has a browser on. */
  #browsers: BrowserService | undefined;
  readonly #keepers: ContainerKeepers;
  #broker: BrokerProcess | undefined;
  #inForce: Prepared | undefined;
  #passphrase: string | undefined;
  #renewal: NodeJS.Timeout | undefined;
  /** Changes happen one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(paths: StatePaths) {
    this.#paths = paths;
    this.#log = new LogFile(join(paths.logs, "supervisor.log"));
    this.#keepers = new ContainerKeepers(() => new LogFile(join(paths.logs, "containers.log")));
    this.#rounds = new AgentRounds((text) => this.#log.note(text));
    this.#notifier = new Notifier({
      ways: () =>
        (this.#inForce?.generation.plan.approvals?.notify ?? []).filter((way) => way.by !== "chat"),
      stillWaits: (id) => this.asks().some((ask) => ask.id === id),
      state: paths.root,
      note: (text) => this.#log.note(text),
    });
  }

  /**
   * Puts a generation in force: whole or not at all (invariant 9). Bots that it doesn't change run
   * on. If the broker refuses it or a bot doesn't come to answer, what ran before runs again.
   */
  apply(number: number, passphrase: string | undefined, progress: Progress): Promise<void> {
    return this.#inTurn(async () => {
      const known = passphrase ?? this.#passphrase;
      const next = await this.#prepare(readGeneration(this.#paths, number), known);
      const before = this.#inForce;
      this.#log.note(`applying generation ${number}`);
      try {
        await this.#putInForce(next, progress);
        // In here, since a full disk must not leave running what isn't written down.
        setCurrentGeneration(this.#paths, number);
      } catch (error) {
        this.#log.note(
          `generation ${number} failed: ${error instanceof Error ? error.message : ""}`,
        );
        await this.#goBack(before, progress);
        throw error;
      }
      this.#passphrase = known;
      await this.#rounds.use(next.generation);
      this.#log.note(`generation ${number} is in force`);
      this.#renewal ??= setInterval(() => void this.#renew(), RENEW_MS).unref();
    });
  }

  /** Restarts one bot, or all of them, and waits until they answer. */
  restart(name: string | undefined, progress: Progress): Promise<void> {
    return this.#inTurn(async () => {
      const names = name === undefined ? [...this.#bots.keys()] : [name];
      const chosen = names.map((each) => this.#bot(each));
      await Promise.all(
        chosen.map(async (bot) => {
          progress(`stopping ${bot.launch.name}`);
          await bot.stop();
        }),
      );
      await this.#startAll(chosen, progress);
    });
  }

  /** Ends everything. */
  down(): Promise<void> {
    return this.#inTurn(async () => {
      clearInterval(this.#renewal);
      await this.#rounds.use(undefined);
      await Promise.all([...this.#bots.values()].map((bot) => bot.stop()));
      this.#bots.clear();
      await this.#keepers.stop();
      await this.#browsers?.use(undefined);
      await this.#broker?.stop();
      this.#broker = undefined;
      this.#inForce = undefined;
      this.#ports.close();
      this.#log.note("everything is stopped");
    });
  }

  /** What waits for the owner's word, in the order it was asked. */
  asks(): readonly Ask[] {
    return this.#broker?.asks ?? [];
  }

  /** Has the broker read every secret anew; returns when the next call uses what is in the stores. */
  async refreshSecrets(): Promise<void> {
    await this.#broker?.refreshSecrets();
  }

  /** @throws HostError `no-such-ask` when nothing waits for it any more. */
  answer(id: string, verdict: "allow" | "deny", scope: "once" | "hour"): void {
    if (this.#broker?.answer(id, verdict, scope) === true) {
      this.#log.note(`the owner's word on ${id}: ${verdict}, ${scope}`);
      return;
    }
    throw new HostError("no-such-ask", "nothing waits for this answer any more", {
      hint: "see what waits with: seawall approve",
    });
  }

  status(): SupervisorStatus {
    const stopped = { state: "stopped", since: this.#since.toISOString(), restarts: 0 } as const;
    return {
      pid: process.pid,
      generation: this.#inForce?.generation.number ?? 0,
      since: this.#since.toISOString(),
      broker: this.#broker?.status() ?? stopped,
      bots: (this.#inForce?.generation.plan.bots ?? []).map((plan) => {
        const bot = this.#bots.get(plan.name);
        return {
          name: plan.name,
          ...(bot?.status() ?? stopped),
          openclaw: plan.openclaw.version,
          port: plan.ingress.port,
          grants: plan.grants.map((grant) => grant.name),
          wall: bot?.launch.wall.mechanisms ?? [],
        };
      }),
      asks: this.asks().length,
      health: [
        ...(this.#inForce === undefined ? [] : this.#planned(this.#inForce.generation.plan)),
        ...(this.#broker?.health() ?? []),
        ...this.#crashing(),
        ...(this.#browsers?.health() ?? []),
        ...this.#keepers.health(),
        ...this.#notifier.health(),
      ],
    };
  }

  async #prepare(generation: Generation, passphrase: string | undefined): Promise<Prepared> {
    const paths = this.#paths;
    const root = process.getuid?.() === 0;
    const names = generation.plan.bots.map((bot) => bot.name);
    const browsers = browserBots(generation.plan).map(browserUser);
    const users = root
      ? assignUsers(paths.users, [...names, ...browsers])
      : new Map<string, number>();
    const authority = await ensureAuthority(paths.authority);
    const { file, identity } = await locateVault(paths.vault.folder);
    const vault = { file, identity, ...(passphrase === undefined ? {} : { passphrase }) };
    const credentials = process.env["CREDENTIALS_DIRECTORY"];
    const ports = await this.#sharedPorts(generation);
    const proxies = new Map(
      [...ports].map(([bot, { proxy: port, token }]) => [bot, { port, token }] as const),
    );
    const config = await brokerConfig({
      generation,
      paths,
      authority,
      vault,
      credentials,
      proxies,
    });
    const capabilities = await this.#probe(generation, [...users.values()][0]);
    // Nothing runs that might still read it.
    if (this.#bots.size === 0) forgetTold(paths.told, names);
    const launches = generation.plan.bots.map((plan) => {
      const { name } = plan;
      const own = { uid: users.get(name), ports: ports.get(name) };
      return botLaunch({ plan, generation, paths, authority, capabilities, ...own });
    });
    const ours = await this.#probe(generation, undefined);
    return {
      generation,
      config,
      launches,
      brokerWall: brokerWall(generation, paths, ours),
      stores: {
        programs: generation.programs,
        paths,
        capabilities: ours,
        config,
        concessions: ownConcessions(generation.plan.bots),
      },
      browsers: await browserSetup({
        generation,
        store: paths.store,
        authority,
        capabilities,
        ours,
        users,
      }),
      containers: containerLaunches({ generation, paths, capabilities: ours, users }),
    };
  }

  /** Of the bots that have no network of their own. */
  async #sharedPorts({ plan, bots }: Generation): Promise<ReadonlyMap<string, SharedPort>> {
    const key = phantomKey(this.#paths);
    const ports = new Map<string, SharedPort>();
    for (const { name } of plan.bots) {
      if (bots[name]?.shared !== true) continue;
      ports.set(name, { ...(await this.#ports.take(name)), token: proxyToken(name, key) });
    }
    return ports;
  }

  #probe({ programs }: Generation, uid: number | undefined): Promise<HostCapabilities> {
    return probeHost({
      launcher: programs.launcher,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
  }

  async #putInForce(next: Prepared, progress: Progress): Promise<void> {
    // Of profiles only; before anything at all is started.
    for (const { name, wall, launcher } of next.launches) {
      if (wall.seatbelt !== undefined) progress(`trying the wall of ${name}`);
      await proveSeatbelt(wall, this.#paths.run, launcher);
    }
    const broker = (this.#broker ??= this.#makeBroker());
    progress("starting the broker");
    await broker.useWall(next.brokerWall, next.generation.programs.launcher);
    await broker.configure(next.config, next.stores);
    if (next.browsers !== undefined) {
      const log = join(this.#paths.logs, "browser.log");
      this.#browsers ??= new BrowserService(new LogFile(log), this.#paths.run);
    }
    await this.#browsers?.use(next.browsers);
    await this.#keepers.use(next.containers, progress);
    const wanted = new Map(next.launches.map((launch) => [launch.name, launch]));
    const leaving = [...this.#bots.values()].filter(
      (bot) => !isDeepStrictEqual(bot.launch, wanted.get(bot.launch.name)),
    );
    await Promise.all(
      leaving.map(async (bot) => {
        progress(`stopping ${bot.launch.name}`);
        await bot.stop();
        this.#bots.delete(bot.launch.name);
      }),
    );
    this.#inForce = next;
    const coming = next.launches
      .filter(({ name }) => !this.#bots.has(name))
      .map(
        (launch) =>
          new BotProcess(
            launch,
            this.#botLog(launch.name),
            broker,
            launch.gateway === undefined ? [] : this.#ports.listeners(launch.name),
          ),
      );
    for (const bot of coming) this.#bots.set(bot.launch.name, bot);
    for (const { launch } of coming) {
      await installPlugins({
        launch,
        broker,
        config: next.config,
        log: this.#botLog(launch.name),
        progress,
      });
    }
    await this.#startAll(coming, progress);
  }

  #makeBroker(): BrokerProcess {
    return new BrokerProcess({
      log: new LogFile(join(this.#paths.logs, "broker.log")),
      callbacks: {
        onDial: (name, id) => {
          const bot = this.#bots.get(name);
          if (bot === undefined) this.#broker?.giveConnection(id, { error: "ENOTCONN" });
          else bot.dial(id);
        },
        onDialProgram: (bot, _grant, id) => void this.#dialBrowser(bot, id),
        onAsk: (ask) => this.#notifier.tell(ask),
        listeners: () => [...this.#bots.values()].flatMap((bot) => bot.listeners),
      },
    });
  }

  async #dialBrowser(bot: string, id: number): Promise<void> {
    const handle = await this.#browsers?.connect(bot).catch(() => undefined);
    if (handle === undefined) this.#broker?.giveConnection(id, { error: "ENOENT" });
    else this.#broker?.giveConnection(id, { handle });
  }

  /** As many at once as there are processors: a gateway takes one whole while it starts. */
  async #startAll(bots: readonly BotProcess[], progress: Progress): Promise<void> {
    const waiting = [...bots];
    const startNext = async (): Promise<void> => {
      for (let bot = waiting.shift(); bot !== undefined; bot = waiting.shift()) {
        await this.#start(bot, progress).catch((error: unknown) => {
          waiting.length = 0;
          throw error;
        });
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, startNext));
  }

  async #start(bot: BotProcess, progress: Progress): Promise<void> {
    const { name } = bot.launch;
    progress(`starting ${name}`);
    const began = Date.now();
    const waited = (): number => Math.round((Date.now() - began) / 1000);
    await bot.lifecycle.start();
    const telling = setInterval(
      () => progress(`${name} does not answer yet, after ${waited()} s`),
      STILL_WAITING_MS,
    );
    const ready = await bot.lifecycle.becomesReady(BOT_READY_MS);
    clearInterval(telling);
    if (!ready) {
      throw new HostError("bot-did-not-start", `bot "${name}" did not come to answer`, {
        hint: `look at: seawall logs ${name}`,
        cause: bot.lifecycle.startError,
      });
    }
    progress(`${name} answers, after ${waited()} s`);
  }

  async #goBack(before: Prepared | undefined, progress: Progress): Promise<void> {
    if (before === undefined) {
      await Promise.all([...this.#bots.values()].map((bot) => bot.stop()));
      this.#bots.clear();
      await this.#keepers.stop();
      await this.#browsers?.use(undefined);
      await this.#broker?.stop();
      this.#broker = undefined;
      this.#inForce = undefined;
      return;
    }
    progress(`going back to generation ${before.generation.number}`);
    await this.#putInForce(before, progress);
  }

  /** New leaf certificates, before the old ones end. */
  #renew(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#inForce === undefined || this.#broker === undefined) return;
      const next = await this.#prepare(this.#inForce.generation, this.#passphrase);
      await this.#broker.configure(next.config, next.stores);
    }).catch((error: unknown) => {
      this.#log.note(`certificates not renewed: ${error instanceof Error ? error.message : ""}`);
    });
  }

  #planned(plan: Plan): HealthWarning[] {
    return [...planWarnings(plan), ...agentWarnings(agentsBase(this.#paths), plan)];
  }

  #crashing(): HealthWarning[] {
    return [...this.#bots.values()].flatMap((bot) => {
      const { name } = bot.launch;
      const status = bot.status();
      if (status.state !== "waiting" && status.state !== "unready") return [];
      const how = status.lastEnd === undefined ? "does not answer" : `ended with ${status.lastEnd}`;
      return [
        { key: `bot:${name}`, warning: `${name} ${how}`, remedy: `look at: seawall logs ${name}` },
      ];
    });
  }

  #bot(name: string): BotProcess {
    const bot = this.#bots.get(name);
    if (bot !== undefined) return bot;
    throw new HostError("no-such-bot", `no bot "${name.slice(0, 40)}" is running`, {
      hint: `running: ${[...this.#bots.keys()].join(", ") || "none"}`,
    });
  }

  #botLog(name: string): LogFile {
    return new LogFile(join(this.#paths.logs, `${name}.log`));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }
}
