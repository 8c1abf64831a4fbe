import type { Attacker, Finding } from "../Attack.ts";
import type { CommandField } from "../Field.ts";
import { held, inapplicable, MARKER, through, tryEach, untried } from "./findings.ts";
import { exchange } from "./sockets.ts";

/** A refusal comes at once; a browser that has to be started takes its time. */
export const COMMAND_PATIENCE_MS = 20_000;

/** What came of one use of a client command, by its protocol (docs/services.md). */
export interface CommandAnswer {
  /** `undefined` where none came. */
  readonly code: number | undefined;
  /** Both outputs, as text of one byte a character. */
  readonly said: string;
  /** Of the refusal, as `not-granted`. */
  readonly why: string;
  readonly error?: string;
}

/** Runs an attack on a bot's client commands, or says that there are none. */
export async function onCommands(
  { field }: Pick<Attacker, "field">,
  attempt: (commands: CommandField) => Finding | Promise<Finding>,
): Promise<Finding> {
  const commands = field.broker?.commands;
  if (commands === undefined) return inapplicable("this one has no client commands");
  return attempt(commands);
}

/** The same for one that has the bridge. */
export function onBridge(
  attacker: Pick<Attacker, "field">,
  attempt: (
    bridge: NonNullable<CommandField["bridge"]>,
    commands: CommandField,
  ) => Finding | Promise<Finding>,
): Promise<Finding> {
  return onCommands(attacker, (commands) =>
    commands.bridge === undefined
      ? inapplicable("this one has no bridge to other bots")
      : attempt(commands.bridge, commands),
  );
}

/** One line to the broker's socket, as whoever has taken over the bot can send it without the client. */
export function requestLine(
  command: string,
  args: readonly unknown[],
  more: Readonly<Record<string, unknown>> = {},
): string {
  return `${JSON.stringify({ v: 1, command, args, body: false, ...more })}\n`;
}

/** Uses a command. */
export function useCommand(
  { socket }: Pick<CommandField, "socket">,
  command: string,
  args: readonly string[],
): Promise<CommandAnswer> {
  return sayToCommands(socket, requestLine(command, args));
}

/** Sends bytes to the socket, and takes what comes until the end. */
export async function sayToCommands(
  socket: string,
  bytes: string | Uint8Array,
  patience = COMMAND_PATIENCE_MS,
): Promise<CommandAnswer> {
  const { reply, error } = await exchange({ path: socket }, bytes, patience);
  const { code, said } = readFrames(reply);
  const why = /"code":"([a-z0-9-]+)"/.exec(said)?.[1] ?? "";
  return { code, said, why, ...(error === undefined ? {} : { error }) };
}

/** Held if the broker refused: nothing was done, and nothing came back that shouldn't. */
export function refusedCommand({ code, said, why, error }: CommandAnswer, what: string): Finding {
  if (MARKER.test(said)) return through(`${what}: a planted secret came back`);
  if (code === 0) return through(`${what} was done`);
  // The service's own answer: the call was made.
  if (code === 1) return through(`${what} reached the service`);
  if (code !== undefined) return held("broker", `${what}: refused, ${why || `exit ${code}`}`);
  if (error === "ETIMEDOUT") return untried(`${what}: no answer came`);
  return held("broker", `${what}: the broker ended without an answer`);
}

/** Asks a command for each of these, every one of which must be refused. */
export function refuseEach(
  commands: CommandField,
  command: string,
  tries: readonly (readonly string[])[],
): Promise<Finding> {
  return tryEach(tries, async (args) =>
    refusedCommand(await useCommand(commands, command, args), `${command} ${shown(args)}`),
  );
}

function shown(args: readonly string[]): string {
  const text = JSON.stringify(args.join(" ")).slice(1, -1);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** One byte of kind, four of length, then that many; `x` is the exit code. */
function readFrames(bytes: string): { readonly code: number | undefined; readonly said: string } {
  const frames = Buffer.from(bytes, "latin1");
  let said = "";
  let code: number | undefined;
  for (let at = 0; at + 5 <= frames.length;) {
    const kind = String.fromCodePoint(frames[at] ?? 0);
    const end = at + 5 + frames.readUInt32BE(at + 1);
    if (kind === "x") code = frames[at + 5];
    else said += frames.toString("latin1", at + 5, end);
    at = end;
  }
  return { code, said };
}
