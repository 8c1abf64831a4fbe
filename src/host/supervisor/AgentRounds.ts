import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Generation } from "../Generation.ts";

const COMMAND = fileURLToPath(new URL("../../cli/start.cjs", import.meta.url));

/** How often agents are synchronized. */
export const ROUND_MS = 15 * 60 * 1000;
/** Longer than a round takes that still gets somewhere. */
const LONGEST_MS = 14 * 60 * 1000;

/**
 * Has `seawall agent sync` run every 15 minutes, in a process of its own, for as long as a generation with agents
 * is in force. What it finds stays in the agents' files, where `status` looks for it.
 */
export class AgentRounds {
  readonly #note: (text: string) => void;
  readonly #command: readonly string[];
  #declaration: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: ChildProcess | undefined;

  constructor(
    note: (text: string) => void,
    command: readonly string[] = [process.execPath, COMMAND, "agent", "sync"],
  ) {
    this.#note = note;
    this.#command = command;
  }

  /** @param generation the one in force; none ends the rounds, and one that is at work. */
  async use(generation: Pick<Generation, "plan" | "declaration"> | undefined): Promise<void> {
    const has = generation?.plan.bots.some(({ openclaw }) => openclaw.agents !== undefined);
    this.#declaration = has === true ? generation?.declaration : undefined;
    if (this.#declaration !== undefined) {
      this.#timer ??= setInterval(() => void this.#round(), ROUND_MS).unref();
      return;
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
    const running = this.#running;
    if (running === undefined || running.exitCode !== null) return;
    running.kill("SIGTERM");
    await once(running, "exit");
  }

  async #round(): Promise<void> {
    // One that takes longer than the time between two is let finish.
    if (this.#running !== undefined || this.#declaration === undefined) return;
    const [program = "", ...words] = this.#command;
    const child = spawn(program, [...words, "--file", this.#declaration], {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: LONGEST_MS,
    });
    this.#running = child;
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4096);
    });
    try {
      const [code] = (await once(child, "exit")) as [number | null];
      // 1: something needs a person, and `status` says what.
      if (code !== 0 && code !== 1) this.#note(`agents not synchronized: ${lastError(said)}`);
    } catch (error) {
      this.#note(`agents not synchronized: ${error instanceof Error ? error.message : ""}`);
    } finally {
      this.#running = undefined;
    }
  }
}

function lastError(text: string): string {
  const line = text.split("\n").findLast((each) => each.startsWith("error: "));
  return line?.slice("error: ".length) ?? "its command ended without a word";
}
