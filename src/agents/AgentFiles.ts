import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { reasonOf, takeLock, writeFileAtomic, type Lock } from "../files/index.ts";
import { agentsBase, type StatePaths } from "../host/index.ts";
import { AgentError } from "./AgentError.ts";
import type { MadeChannel, MadeRepository, RepositoryPlace, SyncReport } from "./inside/Job.ts";

export type ChannelKind = "mattermost" | "discord" | "telegram";

/** Where an agent's tools run, if not in the bot's wall. */
export type AgentTools = "wall" | "podman";

/** An agent that there is. */
export interface Agent {
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
  readonly mark: string;
  readonly repository: {
    readonly kind: RepositoryPlace["kind"];
    readonly url: string;
    /** It was there before, and somebody else's. */
    readonly existing?: true;
  };
  readonly channel?: {
    readonly kind: ChannelKind;
    readonly id: string;
    readonly server?: string;
    readonly members: readonly string[];
  };
  readonly model?: string;
  /** Its tools run in a wall of their own within the bot's, its commands in containers; else in the bot's wall. */
  readonly tools?: AgentTools;
}

/** What `agent new` was asked for. */
export interface NewOptions {
  readonly repo: RepositoryPlace["kind"];
  readonly channel?: ChannelKind;
  /** Of a chat that is there, for services that can't make one. */
  readonly chat?: string;
  readonly model?: string;
  readonly tools?: AgentTools;
  /** Absolute. */
  readonly template?: string;
  readonly existing: boolean;
}

/** What a run has done so far, so that another one can finish it or undo it. */
export type Journal = NewJournal | DeleteJournal;

export interface NewJournal {
  readonly verb: "new";
  readonly name: string;
  readonly mark: string;
  readonly options: NewOptions;
  readonly undoing?: true;
  readonly begun: readonly string[];
  readonly repository?: MadeRepository;
  readonly channel?: MadeChannel;
}

export interface DeleteJournal {
  readonly verb: "delete";
  readonly name: string;
  readonly purge: boolean;
  readonly agent: Agent;
}

/** How the last synchronization of an agent went. */
export interface SyncState {
  readonly at: string;
  readonly report: SyncReport;
}

const LOCK_MS = 60_000;

/** Everything that is kept about a bot's agents. The bot reads the folder `live` and sees nothing else of it. */
export class AgentFiles {
  readonly folder: string;

  /** @param base the state folder, or under systemd the one for what units keep. */
  constructor(base: string, bot: string) {
    this.folder = join(base, "agents", bot);
  }

  /** Those of a bot on this machine, wherever its kind of deployment keeps them. */
  static of(paths: StatePaths, bot: string): AgentFiles {
    return new AgentFiles(agentsBase(paths), bot);
  }

  get live(): string {
    return join(this.folder, "live");
  }

  git(agent: string): string {
    return join(this.folder, "git", agent);
  }

  /** @throws AgentError `busy` when another command is at work and stays so. */
  async lock(waitMs = LOCK_MS): Promise<Lock> {
    const lock = await this.#guard(() => takeLock(join(this.folder, "lock"), waitMs));
    if (lock !== undefined) return lock;
    throw new AgentError("busy", "another command is at work on this bot's agents", {
      hint: "wait until it has ended",
    });
  }

  /** Makes the folder of the histories, which the bot's user has to get through and no more. */
  makeGitFolder(): void {
    const folder = join(this.folder, "git");
    try {
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      // Whatever the umask.
      for (const path of [join(this.folder, ".."), this.folder, folder]) chmodSync(path, 0o711);
    } catch (error) {
      throw asAgentError(error);
    }
  }

  /** The first half of all marks of this bot, made once. */
  owner(): string {
    const file = join(this.folder, "id");
    if (!existsSync(file)) this.write("id", `${randomBytes(6).toString("hex")}\n`);
    const id = readFileSync(file, "utf8").trim();
    if (!/^[0-9a-f]{12}$/.test(id)) throw this.#damaged(file);
    return id;
  }

  agents(): readonly Agent[] {
    return (this.#read("agents.json") as { agents: Agent[] } | undefined)?.agents ?? [];
  }

  setAgents(agents: readonly Agent[]): void {
    const sorted = agents.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.write("agents.json", `${JSON.stringify({ version: 1, agents: sorted }, null, 2)}\n`);
  }

  journal(name: string): Journal | undefined {
    return this.#read(`journal/${name}.json`) as Journal | undefined;
  }

  journals(): readonly string[] {
    const folder = join(this.folder, "journal");
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap((file) => /^([a-z0-9-]+)\.json$/.exec(file)?.[1] ?? []);
  }

  setJournal(journal: Journal): void {
    this.write(`journal/${journal.name}.json`, `${JSON.stringify(journal, null, 2)}\n`);
  }

  endJournal(name: string): void {
    rmSync(join(this.folder, "journal", `${name}.json`), { force: true });
  }

  syncStates(): Readonly<Record<string, SyncState>> {
    return (this.#read("sync.json") as Record<string, SyncState> | undefined) ?? {};
  }

  setSyncState(name: string, state: SyncState | undefined): void {
    const { [name]: _, ...others } = this.syncStates();
    const all = state === undefined ? others : { ...others, [name]: state };
    this.write("sync.json", `${JSON.stringify(all, null, 2)}\n`);
  }

  /** Forgets the history that is kept here; the repository has it. */
  dropGit(agent: string): void {
    try {
      rmSync(this.git(agent), { recursive: true, force: true });
    } catch (error) {
      throw asAgentError(error);
    }
  }

  readLive(): string | undefined {
    try {
      return readFileSync(join(this.live, "agents.json"), "utf8");
    } catch {
      return undefined;
    }
  }

  /** @throws AgentError `disk`; what was there before stays. */
  write(name: string, text: string, mode = 0o600): void {
    try {
      const path = join(this.folder, name);
      mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
      writeFileAtomic(path, text, mode);
    } catch (error) {
      throw asAgentError(error);
    }
  }

  #read(name: string): unknown {
    const file = join(this.folder, name);
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw asAgentError(error);
    }
    try {
      return JSON.parse(text);
    } catch {
      throw this.#damaged(file);
    }
  }

  #damaged(where: string): AgentError {
    return new AgentError("damaged-state", "what is kept about this bot's agents is damaged", {
      where,
      hint: "restore the file from a backup",
    });
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o711 });
      return await work();
    } catch (error) {
      throw asAgentError(error);
    }
  }
}

export function asAgentError(error: unknown): unknown {
  if (error instanceof AgentError || !(error instanceof Error) || !("code" in error)) return error;
  const reason = reasonOf(error);
  if (reason === undefined) return error;
  return new AgentError("disk", `the state folder can't be used: ${reason}`, {
    hint: "make room or look at its permissions, and run this again",
    cause: error,
  });
}
