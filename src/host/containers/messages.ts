/**
 * What a bot's wall, the keeper of its agents' containers and the supervisor say to each other.
 *
 * On the bot's socket both ends send frames: one byte of kind, four of length (big-endian), then so many bytes.
 * src/openclaw/inside/tools/container.mjs is the other end.
 */
export const FRAME = {
  /** From the bot, first: a `CommandRequest` in JSON. */
  command: 1,
  /** From the bot: for the command's standard input; an empty one ends it. */
  input: 2,
  /** To the bot. */
  output: 3,
  errors: 4,
  /** To the bot, last: the exit status in decimal. */
  ended: 5,
  /** To the bot, last and instead of all others: why nothing was started. */
  refused: 6,
} as const;

/** No more than a variable holds that a shell could be given. */
export const LONGEST_COMMAND = 192 * 1024;
/** Of one frame of input. */
export const LONGEST_INPUT = 256 * 1024;
/** Commands of one bot at the same time, and of these such that are being started. */
export const MOST_AT_ONCE = 12;
export const MOST_STARTING = 2;
/** How long whoever connects may take to say what it wants. */
export const SAY_MS = 10_000;

/** All that a bot has to say about a command. */
export interface CommandRequest {
  /** Name of one of the bot's agents. */
  readonly agent: string;
  /** Text for the shell of the image. */
  readonly script: string;
}

/**
 * Where the keeper sees things. Short, since conmon's sockets are below its folder, and Podman waits 20 s after each
 * command where their names are longer than 108 bytes (measured with 4.3; unix(7)). The home is where agents see it.
 */
export const KEEPER = {
  node: "/opt/node",
  code: "/opt/seawall",
  folder: "/keeper",
  socket: "/socket",
  live: "/live",
  home: "/home/bot",
} as const;

/** What the keeper of one bot's containers is told, once. */
export interface KeeperSetup {
  readonly podman: string;
  /** `sha256:` and 64 digits: an image's id, which is the digest of its configuration. */
  readonly image: string;
  /** Whose rights it keeps, when it is started by root: the bot's. */
  readonly uid?: number;
}

export type ToKeeper =
  | { readonly type: "setup"; readonly setup: KeeperSetup }
  /** With `forget` its image goes too, since there are to be no containers any more. */
  | { readonly type: "stop"; readonly forget: boolean };

export type FromKeeper =
  | { readonly type: "started" }
  /** The image is to be written to its standard input, as `podman save` does. */
  | { readonly type: "wants-image" }
  | { readonly type: "ready"; readonly runtime: string }
  | { readonly type: "failed"; readonly message: string };
