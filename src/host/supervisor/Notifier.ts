import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Ask } from "../../broker/index.ts";
import type { ChatNotifyPlan, NotifyPlan } from "../../plan/index.ts";
import type { HealthWarning } from "../status.ts";

/** A bot that asks without end must not bury its owner: what comes within this time is told together. */
const PAUSE_MS = 3_000;
const TIMEOUT_MS = 15_000;
/** Far more than the broker lets wait. */
const MOST_HELD = 100;

/** The ways of the host itself; messages in chats are the broker's, which has their secrets. */
export type HostNotify = Exclude<NotifyPlan, ChatNotifyPlan>;

export interface NotifierOptions {
  /** The ways that are declared at this moment. */
  readonly ways: () => readonly HostNotify[];
  readonly stillWaits: (id: string) => boolean;
  /** The state folder, so that a program which is run can call `seawall approve`. */
  readonly state: string;
  /** Gets one line for the log when a way fails. */
  readonly note: (text: string) => void;
  readonly pauseMs?: number;
}

/** Tells the owner that calls wait for their word, on the desktop or by a program of theirs. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #failures = new Map<string, string>();
  #held: Ask[] = [];
  #pause: NodeJS.Timeout | undefined;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Tells now, or together with others once a pause is over. Never throws: a way that fails shows in `health`. */
  tell(ask: Ask): void {
    if (this.#held.length < MOST_HELD) this.#held.push(ask);
    if (this.#pause === undefined) this.#flush();
  }

  health(): HealthWarning[] {
    return [...this.#failures].map(([way, why]) => ({
      key: `notify:${way}`,
      warning: `you could not be told by ${way} that a call waits: ${why}`,
      remedy: "see what waits with: seawall approve",
    }));
  }

  #flush(): void {
    const asks = this.#held.filter(({ id }) => this.#options.stillWaits(id));
    this.#held = [];
    this.#pause = undefined;
    if (asks.length === 0) return;
    this.#pause = setTimeout(() => {
      this.#flush();
    }, this.#options.pauseMs ?? PAUSE_MS).unref();
    for (const way of this.#options.ways()) {
      const name = way.by === "desktop" ? way.by : (way.command[0] ?? "");
      void run(way, asks, this.#options.state).then((failure) => {
        if (failure === undefined) this.#failures.delete(name);
        else {
          if (this.#failures.get(name) !== failure)
            this.#options.note(`could not tell the owner by ${name}: ${failure}`);
          this.#failures.set(name, failure);
        }
      });
    }
  }
}

/** Runs one way to its end; gives in plain words why it failed, if so. */
async function run(
  way: HostNotify,
  asks: readonly Ask[],
  state: string,
): Promise<string | undefined> {
  const bus = sessionBus();
  if (way.by === "desktop" && bus === undefined) return "there is no desktop session";
  const [program = "", ...args] =
    way.by === "desktop" ? ["notify-send", ...notifyArguments(asks)] : way.command;
  const child = spawn(program, args, {
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      SEAWALL_STATE: state,
      ...(bus === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: bus }),
    },
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(asks.map((ask) => `${JSON.stringify(ask)}\n`).join(""));
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  child.once("error", (error: NodeJS.ErrnoException) =>
    resolve(error.code === "ENOENT" ? `${program} is not there` : "it could not be started"),
  );
  child.once("close", (code, signal) => {
    if (signal !== null) resolve(`it ended with ${signal}`);
    else resolve(code === 0 ? undefined : `it ended with exit code ${code ?? "unknown"}`);
  });
  return promise;
}

/** The bus of this user's session, which may have begun after the supervisor. */
function sessionBus(): string | undefined {
  const known = process.env["DBUS_SESSION_BUS_ADDRESS"];
  if (known !== undefined) return known;
  const socket = `/run/user/${process.getuid?.() ?? -1}/bus`;
  return existsSync(socket) ? `unix:path=${socket}` : undefined;
}

/** https://specifications.freedesktop.org/notification-spec/: the body may be read as markup. */
function notifyArguments(asks: readonly Ask[]): string[] {
  const [first] = asks;
  if (first === undefined) return [];
  const rest = asks.length === 1 ? "" : ` (and ${asks.length - 1} more)`;
  const body = `${describeAsk(first)}${rest}\nseawall approve ${first.id.slice(0, 8)} --once`;
  const title = `Seawall: ${first.bot} asks`;
  return ["--app-name=Seawall", "--icon=dialog-question", "--", title, escapeMarkup(body)];
}

/** What is asked, in one line. */
function describeAsk({ host, method, path, detail }: Ask): string {
  const what = method === undefined ? `connect to ${host}` : `${method} ${host}${path ?? ""}`;
  const text = detail === undefined ? what : `${what}, ${detail}`;
  return text.replaceAll(/\p{C}/gu, "\ufffd").slice(0, 300);
}

function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
