import { plainResponse } from "../inject/loginSecret.ts";
import type { ByteReader } from "./ByteReader.ts";
import { readPlain } from "./imap.ts";
import type { LoginEnd, LoginSession } from "./LoginSession.ts";

const MOST_COMMANDS = 20;
const MOST_WRONG = 3;
const MOST_REPLY_LINES = 100;
/** What stands for the broker in EHLO: nothing of the host it runs on. */
const NAME = "seawall.invalid";
/** Extensions that belong to the login or the transport, which both end here. */
const OWN = /^(?:AUTH|STARTTLS)\b/i;

interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

/**
 * SMTP submission (RFC 6409) up to AUTH (RFC 4954), which is answered here: PLAIN and LOGIN. The server is reached at
 * the first EHLO, since what it can do is its own to say.
 */
export async function loginSmtp(session: LoginSession): Promise<LoginEnd> {
  const { bot } = session;
  say(bot, "220 ready");
  let server: ByteReader | undefined;
  let wrong = 0;
  // However it ends without a login, it is a wrong password that is to be recorded, if there was one.
  const over = (): LoginEnd =>
    wrong > 0 ? { end: "refused", code: "foreign-credential" } : { end: "over" };
  for (let count = 0; count < MOST_COMMANDS; count += 1) {
    const line = await bot.line();
    if (line === undefined) return over();
    const [command = "", ...words] = line.trim().split(/\s+/);
    switch (command.toUpperCase()) {
      case "EHLO": {
        server ??= await open(session);
        if (server === undefined) {
          say(bot, "421 the server can't be reached (Seawall)");
          return { end: "failed", code: "upstream-unreachable" };
        }
        const extensions = (await ask(server, `EHLO ${NAME}`))?.lines.slice(1) ?? [];
        const offered = extensions.filter((each) => !OWN.test(each));
        const tls = session.secure() ? [] : ["STARTTLS"];
        const all = [NAME, ...offered, "AUTH PLAIN LOGIN", ...tls];
        say(bot, ...all.map((each, index) => `250${index < all.length - 1 ? "-" : " "}${each}`));
        break;
      }
      case "HELO":
        say(bot, `250 ${NAME}`);
        break;
      case "NOOP":
      case "RSET":
        say(bot, "250 done");
        break;
      case "QUIT":
        say(bot, "221 bye");
        return over();
      case "STARTTLS":
        if (session.secure()) {
          say(bot, "503 TLS is there already");
          break;
        }
        say(bot, "220 begin");
        if (!(await session.startTls())) return { end: "over" };
        break;
      case "AUTH": {
        const pair = await readAuth(bot, words);
        if (pair === undefined) {
          say(bot, "501 not well formed");
          break;
        }
        if (server === undefined) {
          say(bot, "503 EHLO first");
          break;
        }
        // Clients try their other ways after one has failed, and show what the last one was told.
        if (pair.password === session.phantom) return enter(session, server, pair);
        say(bot, "535 5.7.8 that is not this bot's password (Seawall)");
        wrong += 1;
        if (wrong > MOST_WRONG) return { end: "refused", code: "foreign-credential" };
        break;
      }
      default:
        say(bot, "530 log in first");
    }
  }
  return { end: "refused", code: "malformed-request" };
}

async function readAuth(
  bot: ByteReader,
  [mechanism = "", initial]: readonly string[],
): Promise<{ user: string; password: string } | undefined> {
  if (mechanism.toUpperCase() === "PLAIN") {
    if (initial === undefined) say(bot, "334 ");
    return readPlain(initial ?? (await bot.line()) ?? "");
  }
  if (mechanism.toUpperCase() !== "LOGIN") return undefined;
  const word = async (asked: string, given?: string): Promise<string> => {
    if (given === undefined) say(bot, `334 ${Buffer.from(asked).toString("base64")}`);
    return Buffer.from(given ?? (await bot.line()) ?? "", "base64").toString();
  };
  const user = await word("Username:", initial);
  return { user, password: await word("Password:") };
}

async function enter(
  session: LoginSession,
  server: ByteReader,
  { user }: { readonly user: string },
): Promise<LoginEnd> {
  const { bot } = session;
  if (/[\0\r\n]/.test(user)) {
    say(bot, "501 not a name");
    return { end: "refused", code: "malformed-request" };
  }
  const secret = await session.secret();
  const answer = await ask(server, `AUTH PLAIN ${plainResponse(user, secret)}`);
  if (answer?.code !== 235) {
    // Nothing of the server's words: it has just been told the password.
    say(bot, "535 5.7.8 the server refused the login");
    return { end: "failed", code: "upstream-protocol" };
  }
  say(bot, "235 2.7.0 logged in");
  return { end: "done", server };
}

async function open(session: LoginSession): Promise<ByteReader | undefined> {
  const server = await session.connect();
  if (server === undefined || (await readReply(server))?.code !== 220) return undefined;
  if (session.implicitTls) return server;
  const hello = await ask(server, `EHLO ${NAME}`);
  if (hello?.lines.some((line) => /^STARTTLS\b/i.test(line)) !== true)
    return session.plainAllowed && hello !== undefined ? server : undefined;
  if ((await ask(server, "STARTTLS"))?.code !== 220) return undefined;
  return (await session.secureUpstream(server)) ? server : undefined;
}

async function ask(server: ByteReader, line: string): Promise<Reply | undefined> {
  server.socket.write(`${line}\r\n`);
  return readReply(server);
}

async function readReply(server: ByteReader): Promise<Reply | undefined> {
  const lines: string[] = [];
  while (lines.length < MOST_REPLY_LINES) {
    const line = await server.line();
    const [, code = "", more, text = ""] = /^(\d{3})([ -]?)(.*)$/.exec(line ?? "") ?? [];
    if (code === "") return undefined;
    lines.push(text.replaceAll(/[^\x20-\x7e]/g, ""));
    if (more !== "-") return { code: Number(code), lines };
  }
  return undefined;
}

function say(bot: ByteReader, ...lines: string[]): void {
  bot.socket.write(lines.map((line) => `${line}\r\n`).join(""));
}
