import type { SecretValue } from "../../secrets/index.ts";
import type { RefusalCode } from "../Refusal.ts";
import type { ByteReader } from "./ByteReader.ts";

/** One connection on which a bot logs in, before it is passed through. */
export interface LoginSession {
  readonly bot: ByteReader;
  /** The bot's password must be this. */
  readonly phantom: string;
  /** Whether the bot's side is encrypted by now. */
  readonly secure: () => boolean;
  /** Ends TLS for the bot on the connection as it is. */
  startTls(): Promise<boolean>;
  /** The real server, TLS included where it begins with that; `undefined` when it can't be reached. */
  connect(): Promise<ByteReader | undefined>;
  /** Makes the connection to the server TLS. */
  secureUpstream(server: ByteReader): Promise<boolean>;
  /** Whether the connection to the server may go without encryption: only to a private address written out. */
  readonly plainAllowed: boolean;
  /** Whether the server's side begins with TLS. */
  readonly implicitTls: boolean;
  /** The real value; throws where it can't be had. */
  secret(): Promise<SecretValue>;
}

/** How a login ended. With a `server` both connections are passed through from now on. */
export type LoginEnd =
  | { readonly end: "done"; readonly server: ByteReader }
  | { readonly end: "refused"; readonly code: RefusalCode }
  | { readonly end: "failed"; readonly code: RefusalCode }
  /** The bot left, or asked for something that needs no server. */
  | { readonly end: "over" };
