import { watch, chmodSync, readFileSync, rmSync, type FSWatcher } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { ContainerRun } from "./ContainerRun.ts";
import { frame, FrameReader } from "./FrameReader.ts";
import {
  FRAME,
  KEEPER,
  LONGEST_COMMAND,
  LONGEST_INPUT,
  MOST_AT_ONCE,
  MOST_STARTING,
  SAY_MS,
  type CommandRequest,
  type KeeperSetup,
} from "./messages.ts";
import { openWorkspace } from "./openWorkspace.ts";
import type { Podman } from "./Podman.ts";
import type { Runtime } from "./podmanArguments.ts";

/** As `checkName` of the agents' room lets an agent be called. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/u;
/** What such an agent's entry says (src/agents/renderLive.ts). */
export const BACKEND = "seawall-podman";

/** Answers one bot, which may be anybody's by then. */
export class ContainerServer {
  readonly #setup: KeeperSetup;
  readonly #podman: Podman;
  readonly #runtime: Runtime;
  readonly #note: (text: string) => void;
  readonly #server: Server;
  readonly #watcher: FSWatcher;
  readonly #sockets = new Set<Socket>();
  readonly #runs = new Map<ContainerRun, string>();
  readonly #waiting: (() => void)[] = [];
  #starting = 0;

  constructor(
    setup: KeeperSetup,
    parts: {
      readonly podman: Podman;
      readonly runtime: Runtime;
      readonly note: (text: string) => void;
    },
  ) {
    this.#setup = setup;
    this.#podman = parts.podman;
    this.#runtime = parts.runtime;
    this.#note = parts.note;
    this.#server = createServer((socket) => this.#accept(socket));
    // Agents that are deleted, or have their tools elsewhere now.
    this.#watcher = watch(KEEPER.live, () => this.#dropOthers());
  }

  /** @param path of the socket, in a folder that nobody else writes. */
  listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve();
    });
    return promise;
  }

  /** Ends every command. */
  close(): void {
    this.#watcher.close();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    for (const go of this.#waiting.splice(0)) go();
  }

  #accept(socket: Socket): void {
    socket.on("error", () => undefined);
    if (this.#sockets.size >= MOST_AT_ONCE) {
      refuse(socket, `${MOST_AT_ONCE} commands are running already`);
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const timer = setTimeout(() => socket.destroy(), SAY_MS);
    const visit = new Visit(socket, (request) => {
      clearTimeout(timer);
      void this.#serve(request, visit).catch((error: unknown) => {
        this.#note(`a command came to nothing: ${messageOf(error)}`);
        refuse(socket, "it can't be started; its owner finds why in logs/containers.log");
      });
    });
    socket.once("close", () => clearTimeout(timer));
  }

  async #serve({ agent, script }: CommandRequest, visit: Visit): Promise<void> {
    const { socket } = visit;
    if (!NAME.test(agent) || !this.#allows(agent)) {
      refuse(socket, "no agent of this name has its tools in containers");
      return;
    }
    await this.#turn();
    let run: ContainerRun | undefined;
    try {
      if (socket.destroyed) return;
      run = this.#start(agent, script);
      this.#runs.set(run, agent);
      visit.follow(run);
      await run.begun;
    } finally {
      this.#next();
    }
    const { code, refusal } = await run.ended;
    this.#runs.delete(run);
    if (socket.destroyed) return;
    if (refusal === undefined) socket.end(frame(FRAME.ended, String(code)));
    else {
      this.#note(`${agent}: ${refusal}`);
      refuse(socket, refusal);
    }
  }

  #start(agent: string, script: string): ContainerRun {
    const { image } = this.#setup;
    const workspace = openWorkspace(KEEPER.home, agent);
    try {
      return new ContainerRun({
        podman: this.#podman,
        runtime: this.#runtime,
        image,
        workspace,
        inside: join(KEEPER.home, "agents", agent),
        script,
      });
    } catch (error) {
      workspace[Symbol.dispose]();
      throw error;
    }
  }

  /** Starting one takes a good part of a processor, and a thread that waits. */
  async #turn(): Promise<void> {
    if (this.#starting < MOST_STARTING) this.#starting += 1;
    else await new Promise<void>((go) => this.#waiting.push(go));
  }

  #next(): void {
    const go = this.#waiting.shift();
    if (go === undefined) this.#starting -= 1;
    else go();
  }

  /** By what Seawall wrote last; the bot can't. */
  #allows(agent: string): boolean {
    try {
      const live = JSON.parse(readFileSync(join(KEEPER.live, "agents.json"), "utf8")) as {
        agents?: { entries?: Record<string, { sandbox?: { backend?: unknown } }> };
      };
      const entries = live.agents?.entries ?? {};
      return Object.hasOwn(entries, agent) && entries[agent]?.sandbox?.backend === BACKEND;
    } catch {
      return false;
    }
  }

  #dropOthers(): void {
    for (const [run, agent] of this.#runs) if (!this.#allows(agent)) run.cancel();
  }
}

/** One connection: a command, and its streams in both directions as far as either end takes them. */
class Visit {
  readonly socket: Socket;
  readonly #reader = new FrameReader((kind) =>
    kind === FRAME.command ? LONGEST_COMMAND : kind === FRAME.input ? LONGEST_INPUT : -1,
  );
  readonly #asks: (request: CommandRequest) => void;
  #asked = false;
  #run: ContainerRun | undefined;
  /** What came before there was a container to take it. */
  #early: Buffer[] = [];
  #inputEnded = false;

  constructor(socket: Socket, asks: (request: CommandRequest) => void) {
    this.socket = socket;
    this.#asks = asks;
    socket.on("data", (part: Buffer) => this.#take(part));
  }

  follow(run: ContainerRun): void {
    const { child } = run;
    const { socket } = this;
    this.#run = run;
    socket.once("close", () => run.cancel());
    for (const [stream, kind] of [
      [run.output, FRAME.output],
      [child.stderr, FRAME.errors],
    ] as const) {
      stream.on("data", (part: Buffer) => {
        if (socket.destroyed || socket.write(frame(kind, part))) return;
        stream.pause();
        socket.once("drain", () => stream.resume());
        socket.once("close", () => stream.resume());
      });
    }
    child.stdin.on("drain", () => socket.resume());
    // Whoever is over reads no more, and what comes is thrown away.
    child.stdin.on("close", () => socket.resume());
    const early = this.#early;
    this.#early = [];
    for (const part of early) child.stdin.write(part);
    if (this.#inputEnded) child.stdin.end();
    socket.resume();
  }

  #take(part: Buffer): void {
    try {
      for (const { kind, data } of this.#reader.take(part)) {
        if (kind === FRAME.command) this.#command(data);
        else this.#input(data);
      }
    } catch {
      // Who doesn't keep to it isn't answered.
      this.socket.destroy();
    }
  }

  /** @throws Error at what is no request, or a second one. */
  #command(data: Buffer): void {
    const said: unknown = JSON.parse(data.toString("utf8"));
    if (this.#asked || !isRequest(said)) throw new Error("no request");
    this.#asked = true;
    this.#asks({ agent: said.agent, script: said.script });
  }

  #input(data: Buffer): void {
    if (!this.#asked || this.#inputEnded)
      throw new Error("input before its command, or after its end");
    if (data.length === 0) this.#inputEnded = true;
    const stdin = this.#run?.child.stdin;
    if (stdin === undefined) {
      this.#early.push(data);
      this.socket.pause();
    } else if (this.#inputEnded) stdin.end();
    else if (!stdin.destroyed && !stdin.write(data)) this.socket.pause();
  }
}

function isRequest(value: unknown): value is CommandRequest {
  return (
    typeof value === "object" &&
    value !== null &&
    "agent" in value &&
    "script" in value &&
    typeof value.agent === "string" &&
    typeof value.script === "string" &&
    !value.script.includes("\0")
  );
}

function refuse(socket: Socket, why: string): void {
  socket.end(frame(FRAME.refused, why));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown failure";
}
