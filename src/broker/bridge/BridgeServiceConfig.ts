/**
 * What the bridge between brokers reads from the file that `SEAWALL_BRIDGE_CONFIG` names, where each
 * bot has a broker of its own. No secret and no phantom.
 */
export interface BridgeServiceConfig {
  readonly version: 1;
  /** Where messages are kept. */
  readonly file: string;
  /** Each bot with the bridge, by the name of its socket. */
  readonly bots: Readonly<Record<string, BridgeRules>>;
}

export interface BridgeRules {
  /** Whom it may write to. */
  readonly to: readonly string[];
  /** Whose messages it takes; everybody's where left out. */
  readonly from?: readonly string[];
}
