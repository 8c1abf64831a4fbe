import type { BrowserRules } from "../messages.ts";

/** What the gate before one bot's browser reads, where systemd starts both. No secret. */
export interface GateServiceConfig {
  readonly version: 1;
  readonly bot: string;
  readonly rules: BrowserRules;
  /** What it shows inside for every host, PEM. */
  readonly certificate: { readonly chain: string; readonly key: string };
  /** The browser's path inside its wall. */
  readonly executable: string;
  /** Unix socket: whoever connects has a browser started at the other end. */
  readonly browser: string;
}
