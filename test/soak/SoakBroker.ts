import { join } from "node:path";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { BrokerConfig, FromBroker } from "../../src/broker/index.ts";
import { brokerWall } from "../../src/host/brokerWall.ts";
import { LogFile } from "../../src/host/LogFile.ts";
import { storeLauncher } from "../../src/host/storeLauncher.ts";
import { BrokerProcess, type HeldListener } from "../../src/host/supervisor/BrokerProcess.ts";
import { warmBroker } from "../../src/host/warmBroker.ts";
import { probeHost } from "../../src/wall/index.ts";

/** Where one soak keeps everything. */
export interface SoakPaths {
  readonly store: string;
  readonly audit: string;
  readonly vault: { readonly folder: string; readonly file: string; readonly identity: string };
  readonly log: string;
}

/** From a kill until the broker answers again. */
export interface Down {
  readonly from: number;
  readonly until: number;
}

/**
 * The broker as `seawall up` runs it: started by the supervisor's own class, in its wall, with
 * listeners that outlive it.
 */
export class SoakBroker {
  readonly #process: BrokerProcess;
  readonly #log: LogFile;
  readonly #logPath: string;
  readonly downs: Down[] = [];
  #stopped = false;

  private constructor(process: BrokerProcess, log: LogFile, logPath: string) {
    this.#process = process;
    this.#log = log;
    this.#logPath = logPath;
  }

  /** @throws WallError when this host can't enforce the broker's wall. */
  static async start(
    paths: SoakPaths,
    config: BrokerConfig,
    listeners: readonly HeldListener[],
    callbacks: {
      readonly onDial: (bot: string, id: number) => void;
      readonly onAsk: (ask: Extract<FromBroker, { type: "ask" }>["ask"]) => void;
    },
  ): Promise<SoakBroker> {
    const launcher = storeLauncher(paths.store);
    await warmBroker(process.execPath, paths.store);
    const log = new LogFile(paths.log);
    const broker = new BrokerProcess({
      log,
      callbacks: { ...callbacks, listeners: () => listeners },
    });
    const wall = brokerWall(
      {
        programs: { node: process.execPath },
        plan: {
          secrets: [],
          bots: config.bots.flatMap(({ ingress }) =>
            ingress === undefined ? [] : [{ ingress, concessions: [] }],
          ),
        },
      },
      {
        store: paths.store,
        audit: paths.audit,
        vault: { ...paths.vault, lockedIdentity: join(paths.vault.folder, "none") },
      },
      await probeHost({ launcher }),
    );
    await broker.useWall(wall, launcher);
    const made = new SoakBroker(broker, log, paths.log);
    try {
      await broker.configure(config);
    } catch (error) {
      const said = made.output();
      await made.stop();
      throw new Error(`the broker did not start: ${said}`, { cause: error });
    }
    return made;
  }

  get pid(): number {
    return this.#process.status().pid ?? 0;
  }

  /** Whether it was taken; what the broker says otherwise. */
  async configure(config: BrokerConfig): Promise<string | undefined> {
    try {
      await this.#process.configure(config);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  answer(id: string, verdict: "allow" | "deny"): void {
    this.#process.answer(id, verdict, "once");
  }

  giveConnection(...args: Parameters<BrokerProcess["giveConnection"]>): void {
    this.#process.giveConnection(...args);
  }

  /** Kills it in the middle of whatever it does, and starts it again at once. */
  async killAndStart(): Promise<void> {
    const { lifecycle } = this.#process;
    const from = Date.now();
    process.kill(this.pid, "SIGKILL");
    while (this.#process.status().state !== "waiting")
      await new Promise((resolve) => setTimeout(resolve, 5));
    await lifecycle.start();
    if (this.#process.status().state !== "ready")
      throw new Error(`the broker did not come up again: ${this.output()}`);
    this.downs.push({ from, until: Date.now() });
  }

  /** A second time it does nothing. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#process.stop(5000);
    this.#log.close();
  }

  /** What it said besides our own notes; nothing is right. */
  output(): string {
    return readFileSync(this.#logPath, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !/^\S+Z seawall: /.test(line))
      .join("\n");
  }

  /**
   * Resident bytes of its own (proc(5), RssAnon): how many pages of Node's program are in memory, too, is
   * the machine's affair.
   */
  resident(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** Open descriptors by what they lead to: `socket`, `anon_inode`, or a path. */
  descriptors(): Map<string, number> {
    const folder = `/proc/${this.pid}/fd`;
    const found = new Map<string, number>();
    for (const fd of readdirSync(folder)) {
      let to: string;
      try {
        to = readlinkSync(join(folder, fd)).replace(/:?\[.*\]$/, "");
      } catch {
        continue;
      }
      found.set(to, (found.get(to) ?? 0) + 1);
    }
    return found;
  }
}
