import { postgresMd5, postgresPassword, ScramClient } from "../inject/loginSecret.ts";
import type { SecretValue } from "../../secrets/index.ts";
import type { ByteReader } from "./ByteReader.ts";
import type { LoginEnd, LoginSession } from "./LoginSession.ts";

// https://www.postgresql.org/docs/current/protocol-message-formats.html
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const PROTOCOL_3 = 3;
const MOST_STARTUP = 10_000;
const MOST_MESSAGE = 64 * 1024;
const MOST_PACKETS = 5;

const AUTH = { ok: 0, clear: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;

/**
 * PostgreSQL's startup: the bot is asked for its password in the clear, which is worthless and doesn't leave this
 * machine; the server is logged into by what it asks for, SCRAM-SHA-256, MD5, or the clear one where the
 * connection is encrypted. What comes after is between the bot and the server.
 */
export async function loginPostgres(session: LoginSession): Promise<LoginEnd> {
  const { bot } = session;
  for (let count = 0; count < MOST_PACKETS; count += 1) {
    const packet = await readStartup(bot);
    if (packet === undefined) return { end: "over" };
    const code = packet.readUInt32BE(4);
    if (code === GSS_REQUEST) bot.socket.write("N");
    else if (code === SSL_REQUEST) {
      bot.socket.write(session.secure() ? "N" : "S");
      if (!session.secure() && !(await session.startTls())) return { end: "over" };
    } else if (code === CANCEL_REQUEST) return cancel(session, packet);
    else if (code >>> 16 !== PROTOCOL_3) {
      sayError(bot, "0A000", "only protocol 3 is supported (Seawall)");
      return { end: "refused", code: "malformed-request" };
    } else return enter(session, packet);
  }
  return { end: "refused", code: "malformed-request" };
}

async function enter(session: LoginSession, startup: Buffer): Promise<LoginEnd> {
  const { bot } = session;
  const user = readParameters(startup).get("user") ?? "";
  bot.socket.write(message("R", u32(AUTH.clear)));
  const answer = await readMessage(bot);
  if (answer?.type !== "p") return { end: "over" };
  const password = answer.body.subarray(0, answer.body.indexOf(0)).toString();
  if (password !== session.phantom) {
    sayError(bot, "28P01", "that is not this bot's password (Seawall)");
    return { end: "refused", code: "foreign-credential" };
  }
  const server = await open(session);
  if (server === undefined) {
    sayError(bot, "08006", "the server can't be reached with encryption (Seawall)");
    return { end: "failed", code: "upstream-unreachable" };
  }
  server.socket.write(startup);
  const failed = await authenticate(session, server, user, await session.secret());
  if (failed !== undefined) {
    sayError(bot, "28P01", failed);
    return { end: "failed", code: "upstream-protocol" };
  }
  bot.socket.write(message("R", u32(AUTH.ok)));
  return { end: "done", server };
}

/** Answers what the server asks until it is content; else what the bot is told. */
async function authenticate(
  session: LoginSession,
  server: ByteReader,
  user: string,
  secret: SecretValue,
): Promise<string | undefined> {
  const scram = new ScramClient(secret);
  for (let count = 0; count < MOST_PACKETS * 2; count += 1) {
    const said = await readMessage(server);
    if (said === undefined) return "the server ended the login";
    if (said.type === "E") return "the server refused the login";
    if (said.type !== "R" || said.body.length < 4) return "the server speaks another protocol";
    const kind = said.body.readUInt32BE(0);
    const data = said.body.subarray(4);
    switch (kind) {
      case AUTH.ok:
        return undefined;
      case AUTH.clear:
        if (!session.plainAllowed && !isEncrypted(server))
          return "the server wants the password in the clear";
        server.socket.write(message("p", postgresPassword(secret)));
        break;
      case AUTH.md5:
        server.socket.write(message("p", postgresMd5(user, secret, data.subarray(0, 4))));
        break;
      case AUTH.sasl: {
        if (!data.toString("latin1").split("\0").includes("SCRAM-SHA-256"))
          return "the server knows no way to log in that is supported";
        const first = Buffer.from(scram.first());
        const body = Buffer.concat([Buffer.from("SCRAM-SHA-256\0"), u32(first.length), first]);
        server.socket.write(message("p", body));
        break;
      }
      case AUTH.saslContinue: {
        const final = await scram.final(data.toString());
        if (final === undefined) return "the server's challenge can't be answered";
        server.socket.write(message("p", Buffer.from(final)));
        break;
      }
      case AUTH.saslFinal:
        if (!scram.verify(data.toString())) return "the server doesn't know the password itself";
        break;
      default:
        return "the server knows no way to log in that is supported";
    }
  }
  return "the server asks without end";
}

function isEncrypted(server: ByteReader): boolean {
  return "encrypted" in server.socket;
}

async function open(session: LoginSession): Promise<ByteReader | undefined> {
  const server = await session.connect();
  if (server === undefined) return undefined;
  const request = Buffer.alloc(8);
  request.writeUInt32BE(8, 0);
  request.writeUInt32BE(SSL_REQUEST, 4);
  server.socket.write(request);
  const answer = (await server.bytes(1))?.toString("latin1");
  // Nothing may follow in the same breath: it would be taken for what comes after TLS (CVE-2021-23222).
  if (answer === "S" && server.rest().length === 0)
    return (await session.secureUpstream(server)) ? server : undefined;
  return answer === "N" && session.plainAllowed ? server : undefined;
}

/** A query is cancelled by a connection of its own, with a key that only its session knows. */
async function cancel(session: LoginSession, packet: Buffer): Promise<LoginEnd> {
  const server = await open(session);
  if (server === undefined) return { end: "failed", code: "upstream-unreachable" };
  server.socket.end(packet);
  return { end: "over" };
}

async function readStartup(bot: ByteReader): Promise<Buffer | undefined> {
  const head = await bot.bytes(4);
  const length = head?.readUInt32BE(0) ?? 0;
  if (head === undefined || length < 8 || length > MOST_STARTUP) return undefined;
  const body = await bot.bytes(length - 4);
  return body && Buffer.concat([head, body]);
}

async function readMessage(from: ByteReader): Promise<{ type: string; body: Buffer } | undefined> {
  const head = await from.bytes(5);
  const length = head?.readUInt32BE(1) ?? 0;
  if (head === undefined || length < 4 || length > MOST_MESSAGE) return undefined;
  const body = await from.bytes(length - 4);
  return body && { type: head.toString("latin1", 0, 1), body };
}

function readParameters(startup: Buffer): Map<string, string> {
  const words = startup.subarray(8).toString().split("\0");
  const found = new Map<string, string>();
  for (let index = 0; index + 1 < words.length; index += 2) {
    const name = words[index] ?? "";
    if (name === "") break;
    found.set(name, words[index + 1] ?? "");
  }
  return found;
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, "latin1");
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function sayError(bot: ByteReader, code: string, text: string): void {
  const fields = `SFATAL\0VFATAL\0C${code}\0M${text}\0\0`;
  bot.socket.write(message("E", Buffer.from(fields)));
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
