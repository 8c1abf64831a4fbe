/** What the stores need to know of this deployment. It holds no value but the vault's passphrase. */
export interface StoreSettings {
  readonly vault: {
    readonly file: string;
    readonly identity: string;
    readonly passphrase?: string;
  };
  /** `$CREDENTIALS_DIRECTORY`, where a service manager has given one. */
  readonly credentials?: string;
  /** Folders that bots can read: no plain file and no identity may lie there. */
  readonly botReadable?: readonly string[];
}
