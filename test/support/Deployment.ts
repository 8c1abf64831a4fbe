import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { startStandIns, type StandIns } from "../../src/demo/index.ts";
import { removeFolder } from "../../src/files/index.ts";
import type { SupervisorStatus } from "../../src/host/index.ts";
import { runSeawall, type Ran, type RunOptions } from "./runSeawall.ts";
import { testStore } from "./testStore.ts";

export { freePort } from "../../src/run/index.ts";

const PATIENCE_MS = 120_000;
const ANTHROPIC = "sk-ant-api03-";

/** Asking without a pause would take a processor from what is waited for. */
export const betweenLooks = (): Promise<void> => setTimeout(400);

/** A state folder of its own, stand-ins, and the command line run as a person would. */
export class Deployment implements AsyncDisposable {
  readonly folder: string;
  readonly standIns: StandIns;
  /** The real values: random markers that must never be found anywhere but in the vault. */
  readonly canaries: { readonly anthropic: string; readonly telegram: string };

  readonly #through: RunOptions["through"];

  private constructor(
    folder: string,
    standIns: StandIns,
    canaries: Deployment["canaries"],
    through: RunOptions["through"],
  ) {
    this.#through = through;
    this.folder = folder;
    this.standIns = standIns;
    this.canaries = canaries;
  }

  /** @param host what the command line is started through: a host that lacks something. */
  static async make(
    host?: (folder: string) => NonNullable<RunOptions["through"]>,
  ): Promise<Deployment> {
    const folder = mkdtempSync(join(tmpdir(), "seawall-deployment-"));
    chmodSync(folder, 0o711);
    const canaries = {
      anthropic: `${ANTHROPIC}${randomBytes(70).toString("base64url").slice(0, 93)}AA`,
      telegram: `7123456789:AA${randomBytes(30).toString("base64url").slice(0, 33)}`,
    };
    const standIns = await startStandIns({
      anthropicKey: canaries.anthropic,
      telegramToken: canaries.telegram,
    });
    writeFileSync(join(folder, "stand-ins.pem"), standIns.caPem);
    const deployment = new Deployment(folder, standIns, canaries, host?.(folder));
    await deployment.ok(["secret", "set", "anthropic"], canaries.anthropic);
    await deployment.ok(["secret", "set", "telegram"], canaries.telegram);
    return deployment;
  }

  get state(): string {
    return join(this.folder, "state");
  }

  /** A bot that thinks with the stand-in; with `telegram`, it also listens there. */
  bot(options: { readonly port: number; readonly telegram?: boolean; readonly more?: object }): {
    readonly [key: string]: unknown;
    readonly grants: Readonly<Record<string, object>>;
  } {
    const { anthropic, telegram } = this.standIns;
    const dial = ({ host, port }: { host: string; port: number }): object => ({
      host,
      port,
      ca: "stand-ins.pem",
    });
    return {
      openclaw: "2026.9.6",
      model: "anthropic/claude-sonnet-4-6",
      grants: {
        anthropic: { secret: "anthropic", dial: dial(anthropic) },
        ...(options.telegram === true
          ? { telegram: { secret: "telegram", allowFrom: [telegram.userId], dial: dial(telegram) } }
          : {}),
      },
      port: options.port,
      ...options.more,
    };
  }

  declare(bots: object, more: object = {}): void {
    const secrets = { anthropic: { vault: "anthropic" }, telegram: { vault: "telegram" } };
    writeFileSync(
      join(this.folder, "seawall.json5"),
      JSON.stringify({ seawall: 1, secrets, bots, ...more }, null, 2),
    );
  }

  run(args: readonly string[], input?: string): Promise<Ran> {
    return runSeawall(args, {
      state: this.state,
      cwd: this.folder,
      env: { SEAWALL_STORE: testStore() },
      ...(input === undefined ? {} : { input }),
      ...(this.#through === undefined ? {} : { through: this.#through }),
    });
  }

  async ok(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, input);
    assert.equal(
      code,
      0,
      `seawall ${args.join(" ")}: ${stderr}${stdout}${code === 0 ? "" : this.#logs()}`,
    );
    return stdout;
  }

  async status(): Promise<SupervisorStatus> {
    const { stdout } = await this.run(["status", "--json"]);
    return JSON.parse(stdout) as SupervisorStatus;
  }

  /** Asks until `good`, since a process that was killed takes its time to come back. */
  async until(
    good: (status: SupervisorStatus) => boolean,
    what: string,
  ): Promise<SupervisorStatus> {
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline;) {
      const status = await this.status();
      if (good(status)) return status;
      await betweenLooks();
    }
    throw new Error(`${what} did not come to be: ${JSON.stringify(await this.status(), null, 1)}`);
  }

  /** Asks for a bot's log until something stands in it. */
  async logged(bot: string, pattern: RegExp): Promise<void> {
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline;) {
      if (pattern.test(await this.ok(["logs", bot]))) return;
      await betweenLooks();
    }
    assert.match(await this.ok(["logs", bot]), pattern);
  }

  token(bot: string): string {
    return readFileSync(join(this.state, "tokens", bot), "utf8").trim();
  }

  /** Says something through Telegram and gives the bot's answer. */
  converse(text: string): Promise<string> {
    this.standIns.telegram.sendAsUser(text);
    return this.standIns.telegram.nextReply(120_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run(["down"]);
    await this.standIns.close();
    removeFolder(this.folder);
  }

  #logs(): string {
    const read = (name: string): string => {
      try {
        return readFileSync(join(this.state, "logs", name), "utf8").slice(-3_000);
      } catch {
        return "";
      }
    };
    return `\nsupervisor: ${read("supervisor.log")}\nbroker: ${read("broker.log")}`;
  }
}
