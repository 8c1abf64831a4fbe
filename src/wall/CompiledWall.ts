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
  /** How far each mechanism is enforced for this process. */
  readonly mechanisms: readonly MechanismReport[];
}
