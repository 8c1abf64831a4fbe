import type { Fault } from "../declaration/index.ts";
import type { ChannelPlan, GrantPlan, MintedSecret } from "./Plan.ts";
import type { KnownService } from "./resolveServices.ts";

/** A grant whose hosts have no addresses yet, and what it brings to its bot. */
export interface DraftGrant {
  readonly grant: GrantPlan;
  readonly variable?: string;
  readonly provider?: string;
  readonly channel?: ChannelPlan;
  /** OpenClaw's plugin that the channel needs. */
  readonly plugin?: string;
}

export interface GrantContext {
  readonly services: ReadonlyMap<string, KnownService>;
  /** Names of the declared secrets. */
  readonly secrets: ReadonlySet<string>;
  /** Those that the broker has made. */
  readonly mints: ReadonlyMap<string, MintedSecret>;
  readonly faults: Fault[];
}

/** Keys of grants that only some services that are code know. */
export const GRANT_OPTIONS = ["to", "from", "allowHosts", "seconds", "pageBytes"] as const;
/** Keys that say something about calls by method and path. */
export const CALL_KEYS = ["url", "allow", "ask", "deny", "content"] as const;
