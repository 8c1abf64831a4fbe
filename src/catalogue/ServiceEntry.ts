import type { EntryCommand } from "./EntryCommand.ts";

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
  /**
   * Origins, as `https://api.example.com`. Where the credential is AWS's, `{region}` and `{service}` in
   * them stand for what the grant says.
   */
  readonly hosts: readonly string[];
  /** Everybody runs their own: the grant's `url` says where. What stands in `hosts` is for grants without one. */
  readonly ownHost?: boolean;
  /**
   * It takes no credential: a model on the host, say. Its grant names no secret; rules hold as for any other. Where
   * clients insist on a key, the phantom in a place of `credential` passes and goes out as it is, worthless everywhere.
   */
  readonly keyless?: true;
  /**
   * It is code of Seawall's own and no place on a network: `hosts`, `credential` and `allow` are empty, and its command
   * has `handler` operations only. The keys of a grant that say what it may do.
   */
  readonly program?: {
    readonly options: readonly GrantOption[];
    /** Those without which the grant would allow nothing. */
    readonly needs?: readonly GrantOption[];
    /** What of `dial` means something to it, beside these keys. */
    readonly dial?: readonly ("networks" | "ca")[];
  };
  /**
   * It is not HTTP, and has a login in which the phantom becomes the real value; after that the connection is passed
   * through. A grant says where, as `server: "imap.example.com:993"`.
   */
  readonly login?: "imap" | "smtp" | "postgres";
  /** The command for agents that have no other client; without one there may be a general one, see `commandOf`. */
  readonly command?: EntryCommand;
  /** Headers that an agent may give to its command, by name: such as say which version or form of an answer is wanted. */
  readonly headers?: Readonly<Record<string, EntryHeader>>;
  /** Every place a client may put the credential, as the service's documentation names them. */
  readonly credential: readonly CredentialPlace[];
  /** Text with `{digits:N}`, `{hex:N}`, `{base32:N}`, `{alphanumeric:N}` or `{base64url:N}`. Tools check this shape. */
  readonly phantom: string;
  /** Environment variable in which OpenClaw and the service's own clients look for the credential. */
  readonly variable?: string;
  /** Calls that a grant allows unless it says otherwise: `GET /v1/**`. */
  readonly allow: readonly EntryRule[];
  /** Calls that no grant of it ever makes, whatever its own rules say. */
  readonly deny?: readonly EntryRule[];
  /** Calls that clients make without a credential. */
  readonly anonymous?: readonly EntryRule[];
  /** WWW-Authenticate of the 401 that a call without a credential gets, for clients that wait for one. */
  readonly challenge?: string;
  /** Whose form the numbers of tokens in its replies have. */
  readonly usage?: "anthropic" | "openai" | "gemini";
  /** The calls that carry what a bot says to people. */
  readonly messages?: readonly EntryMessage[];
  /** How a message is sent to one chat, for telling the owner that a call waits. */
  readonly notify?: EntryNotify;
  /** The one of `hosts` that git reaches over HTTPS. */
  readonly git?: string;
  /** Prefix of OpenClaw's model names that this service answers. */
  readonly provider?: string;
  /** OpenClaw's channel of this name becomes active with the grant. */
  readonly channel?: string;
  /** The service whose grant the channel takes besides, for its second token; without it, there are calls alone. */
  readonly channelNeeds?: string;
  /** The plugin that OpenClaw needs for the channel, where it doesn't bring it along. */
  readonly plugin?: string;
}

/** A header that an agent may give a value to. */
export interface EntryHeader {
  /** What it is for, in a few words. */
  readonly about?: string | undefined;
  /** What is sent where the agent gives none. */
  readonly usual?: string | undefined;
}

/** Keys of grants that only some services that are code know. */
export type GrantOption = "to" | "from" | "allowHosts" | "seconds" | "pageBytes";

/** Exactly one of the places, and what belongs to it. */
export interface CredentialPlace {
  readonly header?: string | undefined;
  /** Stands before the credential in the header, or in the JSON string: `Bearer `. */
  readonly prefix?: string | undefined;
  /** Beginning of the path, ending in `{secret}`. */
  readonly path?: string | undefined;
  readonly basic?: "user" | "password" | undefined;
  readonly cookie?: string | undefined;
  readonly query?: string | undefined;
  /** Field of a form-urlencoded body. */
  readonly form?: string | undefined;
  /** Part of a multipart/form-data body. */
  readonly multipart?: string | undefined;
  /** JSON pointer (RFC 6901) into the body. */
  readonly json?: string | undefined;
  /** JSON pointer into a text frame that has all the values of `where`. */
  readonly websocket?: string | undefined;
  /** The call is signed by a key of AWS, for this of its services; `*` where the grant says which. */
  readonly sigv4?: string | undefined;
  readonly where?: Readonly<Record<string, string | number>> | undefined;
}

/** `GET /v1/**`, `GET api.example.com/v1/**`, or with more to say; see docs/declaration.md. */
export type EntryRule =
  | string
  | {
      readonly call?: string | undefined;
      readonly graphql?: string | undefined;
      readonly field?: string | undefined;
      readonly jsonRpc?: string | undefined;
      readonly mcp?: string | undefined;
      readonly query?: Readonly<Record<string, string>> | undefined;
      readonly host?: string | undefined;
      readonly git?: string | undefined;
      readonly s3?: string | undefined;
      readonly access?: "read" | "write" | undefined;
    };

export interface EntryMessage {
  readonly call: string;
  /** JSON pointers of its texts and links; the same names as fields of a form. */
  readonly texts: readonly string[];
  /** What switches link previews off, by JSON pointer. */
  readonly previewOff?: Readonly<Record<string, EntryJson>> | undefined;
}

/** One POST with a JSON body that sends a text, with whatever the service would make of it switched off. */
export interface EntryNotify {
  /** With `{secret}` where a place of the credential has it, and `{to}` for the chat. */
  readonly path: string;
  /** Strings that are `{to}` or `{text}` stand for the chat and the text. */
  readonly body: Readonly<Record<string, EntryJson>>;
  /** What the service calls its chats: a regular expression for the whole, and an example of it. */
  readonly to: { readonly pattern: string; readonly example: string };
  /** Only replies that say `"ok": true` mean that it was sent. */
  readonly saysOk?: true;
}

export type EntryJson =
  null | boolean | number | string | readonly EntryJson[] | { readonly [key: string]: EntryJson };
