/**
 * A service that bots can be granted: where it is, where its credential stands in a call, and what
 * the worthless token that a bot holds instead looks like. The fields that a declaration can give
 * for a service of its own mean the same there.
 */
export interface ServiceEntry {
  /** The name that grants use. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Origins, as `https://api.example.com`. */
  readonly hosts: readonly string[];
  /** Everybody runs their own: the grant's `url` says where. `hosts` is empty then. */
  readonly ownHost?: boolean;
  /** Every place a client may put the credential, as the service's documentation names them. */
  readonly credential: readonly CredentialPlace[];
  /** Text with `{digits:N}`, `{hex:N}`, `{alphanumeric:N}` or `{base64url:N}`. Tools check this shape. */
  readonly phantom: string;
  /** Environment variable in which OpenClaw and the service's own clients look for the credential. */
  readonly variable?: string;
  /** Calls that a grant allows unless it says otherwise: `GET /v1/**`. */
  readonly allow: readonly string[];
  /** Calls that clients make without a credential. */
  readonly anonymous?: readonly string[];
  /** Prefix of OpenClaw's model names that this service answers. */
  readonly provider?: string;
  /** OpenClaw's channel of this name becomes active with the grant. */
  readonly channel?: string;
  /** The plugin that OpenClaw needs for the channel, where it doesn't bring it along. */
  readonly plugin?: string;
}

export interface CredentialPlace {
  readonly header?: string | undefined;
  /** Stands before the credential in the header: `Bearer `. */
  readonly prefix?: string | undefined;
  /** Beginning of the path, ending in `{secret}`. */
  readonly path?: string | undefined;
}
