import { plainResponse } from "../inject/loginSecret.ts";
import type { ByteReader } from "./ByteReader.ts";
import type { LoginEnd, LoginSession } from "./LoginSession.ts";

const MOST_COMMANDS = 20;
const MOST_LITERAL = 4096;
const MOST_REPLIES = 100;

/**
 * IMAP4rev1 (RFC 9051, RFC 3501) up to the login, which is answered here: LOGIN, or AUTHENTICATE PLAIN with
 * or without its initial response. What comes after is between the bot and the server.
 */
export async function loginImap(session: LoginSession): Promise<LoginEnd> {
  const { bot } = session;
  say(bot, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN STARTTLS] ready");
  for (let count = 0; count < MOST_COMMANDS; count += 1) {
    const line = await bot.line();
    const [, tag = "*", command = "", rest = ""] =
      /^(\S{1,64}) (\S+) ?(.*)$/.exec(line ?? "") ?? [];
    if (line === undefined) return { end: "over" };
    switch (command.toUpperCase()) {
      case "CAPABILITY":
        say(bot, "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN STARTTLS", `${tag} OK done`);
        break;
      case "NOOP":
        say(bot, `${tag} OK done`);
        break;
      case "ID":
        say(bot, "* ID NIL", `${tag} OK done`);
        break;
      case "LOGOUT":
        say(bot, "* BYE", `${tag} OK done`);
        return { end: "over" };
      case "STARTTLS":
        if (session.secure()) {
          say(bot, `${tag} BAD TLS is there already`);
          break;
        }
        say(bot, `${tag} OK begin`);
        if (!(await session.startTls())) return { end: "over" };
        break;
      case "LOGIN": {
        const words = await readWords(bot, rest);
        const [user, password] = words ?? [];
        if (user === undefined || password === undefined) {
          say(bot, `${tag} BAD LOGIN takes a name and a password`);
          break;
        }
        return enter(session, tag, user, password);
      }
      case "AUTHENTICATE": {
        const [mechanism = "", initial] = rest.split(" ");
        if (mechanism.toUpperCase() !== "PLAIN") {
          say(bot, `${tag} NO only PLAIN is supported`);
          break;
        }
        if (initial === undefined) say(bot, "+ ");
        const given = initial ?? (await bot.line());
        const pair = readPlain(given ?? "");
        if (pair === undefined) {
          say(bot, `${tag} BAD not well formed`);
          break;
        }
        return enter(session, tag, pair.user, pair.password);
      }
      default:
        say(bot, `${tag} BAD log in first`);
    }
  }
  return { end: "refused", code: "malformed-request" };
}

async function enter(
  session: LoginSession,
  tag: string,
  user: string,
  password: string,
): Promise<LoginEnd> {
  const { bot } = session;
  if (password !== session.phantom) {
    say(bot, `${tag} NO [AUTHENTICATIONFAILED] that is not this bot's password (Seawall)`);
    return { end: "refused", code: "foreign-credential" };
  }
  if (/[\0\r\n]/.test(user)) {
    say(bot, `${tag} BAD not a name`);
    return { end: "refused", code: "malformed-request" };
  }
  const server = await open(session);
  if (server === undefined) {
    say(bot, `${tag} NO [UNAVAILABLE] the server can't be reached (Seawall)`);
    return { end: "failed", code: "upstream-unreachable" };
  }
  const secret = await session.secret();
  server.socket.write("sw2 AUTHENTICATE PLAIN\r\n");
  const asked = await replyTo(server, "sw2");
  if (asked?.startsWith("+") !== true) {
    say(bot, `${tag} NO the server doesn't take a password (Seawall)`);
    return { end: "failed", code: "upstream-protocol" };
  }
  server.socket.write(`${plainResponse(user, secret)}\r\n`);
  const answered = await replyTo(server, "sw2");
  const outcome = /^sw2 (OK|NO|BAD)/i.exec(answered ?? "")?.[1]?.toUpperCase();
  if (outcome !== "OK") {
    // Nothing of the server's words: it has just been told the password.
    say(bot, `${tag} NO [AUTHENTICATIONFAILED] the server refused the login`);
    return { end: "failed", code: "upstream-protocol" };
  }
  say(bot, `${tag} OK logged in`);
  return { end: "done", server };
}

async function open(session: LoginSession): Promise<ByteReader | undefined> {
  const server = await session.connect();
  if (server === undefined) return undefined;
  const greeting = await server.line();
  if (greeting?.startsWith("* OK") !== true) return undefined;
  if (session.implicitTls) return server;
  server.socket.write("sw1 STARTTLS\r\n");
  const answer = await replyTo(server, "sw1");
  if (answer?.startsWith("sw1 OK") === true)
    return (await session.secureUpstream(server)) ? server : undefined;
  return session.plainAllowed && answer !== undefined ? server : undefined;
}

/** The line that answers a command, or asks for more. */
async function replyTo(server: ByteReader, tag: string): Promise<string | undefined> {
  for (let count = 0; count < MOST_REPLIES; count += 1) {
    const line = await server.line();
    if (line === undefined || line.startsWith(`${tag} `) || line.startsWith("+")) return line;
  }
  return undefined;
}

/** Words of a command: atoms, quoted strings and literals (RFC 9051 section 4.3). */
async function readWords(bot: ByteReader, text: string): Promise<string[] | undefined> {
  const words: string[] = [];
  let rest = text;
  while (rest !== "") {
    const quoted = /^"((?:[^"\\]|\\["\\])*)"(?: |$)/.exec(rest);
    const literal = /^\{(\d{1,5})(\+?)\}$/.exec(rest);
    const atom = /^([^\s"{}()\\]+)(?: |$)/.exec(rest);
    if (quoted !== null) {
      words.push((quoted[1] ?? "").replaceAll(/\\(.)/g, "$1"));
      rest = rest.slice(quoted[0].length);
    } else if (literal !== null) {
      const length = Number(literal[1]);
      if (length > MOST_LITERAL) return undefined;
      if (literal[2] === "") say(bot, "+ ready");
      const bytes = await bot.bytes(length);
      if (bytes === undefined) return undefined;
      words.push(bytes.toString("latin1"));
      rest = ((await bot.line()) ?? "").replace(/^ /, "");
    } else if (atom !== null) {
      words.push(atom[1] ?? "");
      rest = rest.slice(atom[0].length);
    } else return undefined;
  }
  return words.map((word) => Buffer.from(word, "latin1").toString());
}

/** The response of SASL PLAIN (RFC 4616), whose identity to act as must be empty or the same. */
export function readPlain(base64: string): { user: string; password: string } | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const parts = Buffer.from(base64, "base64").toString().split("\0");
  const [identity, user, password] = parts;
  if (parts.length !== 3 || user === undefined || password === undefined) return undefined;
  return identity === "" || identity === user ? { user, password } : undefined;
}

function say(bot: ByteReader, ...lines: string[]): void {
  bot.socket.write(lines.map((line) => `${line}\r\n`).join(""));
}
