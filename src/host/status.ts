import type { MechanismReport } from "../wall/index.ts";

/** What a running deployment says of itself; `seawall status --json` prints it as it is. */
export interface SupervisorStatus {
  readonly pid: number;
  readonly generation: number;
  /** ISO 8601, as all times here. */
  readonly since: string;
  readonly broker: ProcessStatus;
  readonly bots: readonly BotStatus[];
  /** Calls that wait for the owner's word. */
  readonly asks: number;
  readonly health: readonly HealthWarning[];
}

/**
 * starting: not yet answering; ready: answers; unready: has answered, doesn't now; waiting: ended by
 * itself and will be started again; stopped: ended on purpose.
 */
export type ProcessState = "starting" | "ready" | "unready" | "waiting" | "stopped";

export interface ProcessStatus {
  readonly state: ProcessState;
  /** On the host. */
  readonly pid?: number;
  /** When the state began. */
  readonly since: string;
  /** Starts after the first one. */
  readonly restarts: number;
  /** How it ended last, as `exit code 1` or `signal SIGKILL`. */
  readonly lastEnd?: string;
}

export interface BotStatus extends ProcessStatus {
  readonly name: string;
  readonly openclaw: string;
  /** On the host's 127.0.0.1. */
  readonly port: number;
  readonly grants: readonly string[];
  /** Each mechanism and how far it is enforced. */
  readonly wall: readonly MechanismReport[];
}

/** Something a person should know, with what to do about it. */
export interface HealthWarning {
  readonly key: string;
  readonly warning: string;
  readonly remedy?: string;
}
