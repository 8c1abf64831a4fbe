import type { Profile } from "../profiles/index.ts";

/** What one call of `seawall run` asks for. */
export interface RunRequest {
  /** Name or file of a profile. */
  readonly profile?: string;
  /** What the flags say, as a profile on top of it. */
  readonly flags: Profile;
  readonly command: readonly [string, ...string[]];
  /** Absolute. */
  readonly workdir: string;
}
