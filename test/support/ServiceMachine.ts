import assert from "node:assert/strict";
import { readlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Machine } from "./Machine.ts";

const PINS = resolve(import.meta.dirname, "../../pins/openclaw");

export const GATEWAY = "seawall-gateway-basecamp.service";
export const BROKER = "seawall-broker-basecamp.service";
/** Where this project's files for machines are. */
export const SUPPORT = import.meta.dirname;

/** What a child of a gateway's said, behind all of its unit's wall. */
export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly code?: string;
}

export interface ServiceStatus {
  readonly updates?: {
    readonly next?: string;
    readonly last?: { readonly outcome: string; readonly to?: string };
  };
  readonly health: readonly {
    readonly key: string;
    readonly warning: string;
    readonly remedy?: string;
  }[];
}

/** A deployment under a booted machine's systemd: one bot, `basecamp`, and whatever a test adds to it. */
export class ServiceMachine {
  readonly machine: Machine;
  /** Of the stand-in for the model's service. */
  port = 0;
  openclaw = "2026.9.6";
  /** Of the declaration, beside bots and secrets. */
  surroundings: object = {};
  /** Bots beside the one. */
  neighbours: object = {};

  constructor(machine: Machine) {
    this.machine = machine;
  }

  get root(): string {
    return join(this.machine.tree, "root");
  }

  /** Writes the declaration; `more` goes into the bot, `grant` into its grant. */
  declare(more: object = {}, grant: object = {}, secrets: object = {}, grants: object = {}): void {
    const declaration = {
      seawall: 1,
      secrets: { anthropic: { vault: "anthropic" }, ...secrets },
      bots: {
        basecamp: {
          openclaw: this.openclaw,
          model: "anthropic/claude-sonnet-4-6",
          grants: { anthropic: { ...this.model(), ...grant }, ...grants },
          settings: { gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } },
          agents: { repositories: { path: "/srv/git" } },
          ...more,
        },
        ...this.neighbours,
      },
      ...this.surroundings,
    };
    writeFileSync(join(this.root, "seawall.json5"), JSON.stringify(declaration));
  }

  /** The grant of the model's service. */
  model(): object {
    return {
      secret: "anthropic",
      dial: { host: "127.0.0.1", port: this.port, ca: "stand-ins.pem" },
    };
  }

  /** This project is seen read-only in a machine, and an update pins what it found. */
  async ownPins(): Promise<void> {
    await this.output(["mount", "--bind", "/root/pins", PINS]);
  }

  async output(command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.machine.run(command);
    assert.equal(code, 0, `${command.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  pidOf(unit: string): Promise<string> {
    return this.output(["systemctl", "show", "--value", "--property=MainPID", unit]);
  }

  current(): string {
    return readlinkSync(join(this.machine.tree, "etc/seawall/current"));
  }

  async status(): Promise<ServiceStatus> {
    const { stdout } = await this.machine.seawall(["status", "--json"]);
    return JSON.parse(stdout) as ServiceStatus;
  }

  /** All that a switch could have made or changed. */
  traces(): Promise<string> {
    return this.output([
      "sh",
      "-c",
      "find /etc /run/seawall /var/lib/seawall/system /tmp -not -path '/etc/*.d/*cache*' 2>/dev/null | sort; cat /etc/passwd /etc/group",
    ]);
  }

  fromInside(...words: readonly string[]): Promise<Said> {
    return this.fromBot("basecamp", 18_789, words);
  }

  /** What the gateway that stands in for OpenClaw's starts as its child. */
  async fromBot(bot: string, at: number, words: readonly string[]): Promise<Said> {
    const query = words.map((word) => `word=${encodeURIComponent(word)}`).join("&");
    const ask = `
      const token = require("fs").readFileSync("/var/lib/seawall/tokens/${bot}", "utf8").trim();
      fetch("http://127.0.0.1:${at}/v1/run?${query}", { headers: { authorization: "Bearer " + token } })
        .then(async (r) => console.log(await r.text()));`;
    return JSON.parse(await this.output(["node", "-e", ask])) as Said;
  }
}
