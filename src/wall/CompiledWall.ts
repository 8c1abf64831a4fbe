import type { CompiledGroup } from "./limits/compile.ts";
import type { MechanismReport } from "./MechanismReport.ts";

/** The descriptors of a walled process as it starts: 0–2, the channel, the policy, then these. */
export const CHANNEL_DESCRIPTOR = 3;
export const POLICY_DESCRIPTOR = 4;
export const ARGUMENTS_DESCRIPTOR = 5;
export const FIRST_FILE_DESCRIPTOR = 6;

/** Everything `startWalled` hands over; it decides nothing more. */
export interface CompiledWall {
  /**
   * Bubblewrap's arguments up to where the launcher comes in; undefined for the host's namespaces.
   * They go over a descriptor, out of other users' sight.
   */
  readonly bwrap: readonly string[] | undefined;
  /** Contents of descriptors from FIRST_FILE_DESCRIPTOR on. */
  readonly files: readonly string[];
  /** For seawall-launch. */
  readonly policy: Uint8Array;
  /** The control group that everything is put into, if one is needed. */
  readonly group: CompiledGroup | undefined;
  /** What is left of its process group when it ends is ended as well; nothing can have left the group. */
  readonly together?: true;
  /** On macOS all there is; what stands above is empty then. */
  readonly seatbelt?: SeatbeltWall;
  /** How far each mechanism is enforced for this process. */
  readonly mechanisms: readonly MechanismReport[];
}

/** What sandbox-exec(1) is given. */
export interface SeatbeltWall {
  readonly profile: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** By ulimit; of each process. */
  readonly openFiles?: number;
  /** Bytes. */
  readonly fileSize?: number;
  /** It talks to the supervisor (the broker, what reads stores); a bot has no such channel. */
  readonly channel: boolean;
  /** What it may do, for `proveSeatbelt` to try; absent for what isn't proven. */
  readonly proof?: SeatbeltProof;
}

/** Each is allowed by the profile; next to each of them lies something that must not be. */
export interface SeatbeltProof {
  readonly reads: string;
  readonly writes: string;
  /** Port of the broker's proxy on the loopback. */
  readonly connects?: number;
  readonly binds?: number;
  readonly executes: readonly string[];
}
