import dgram from "node:dgram";
import http, { type IncomingMessage } from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net, { type Socket } from "node:net";
import tls from "node:tls";
import { WebSocket } from "ws";
import type { Inside } from "./deployment.ts";
import type { Got } from "./Ledger.ts";

/** Longer than anything here takes; what lasts longer hangs. */
const HANGS_MS = 60_000;

/** A bot's clients: sockets into the broker's listeners, TLS trusted by the deployment's CA. */
export class Clients {
  readonly #ca: string;
  readonly #agents = new Map<string, https.Agent>();

  constructor(ca: string) {
    this.#ca = ca;
  }

  /** One call by HTTP/1.1, over a connection that is kept. */
  request(
    host: Inside,
    ask: {
      readonly method?: string;
      readonly path: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Goes away so long after asking. */
      readonly leaveAfterMs?: number;
    },
    expected: string,
  ): Promise<Got> {
    const { method = "GET", path, headers = {}, body, leaveAfterMs } = ask;
    const request = https.request({
      agent: this.#agent(host),
      host: host.address,
      port: host.port,
      servername: host.name,
      ca: this.#ca,
      method,
      path,
      headers: {
        host: `${host.name}:${host.port}`,
        ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        ...headers,
      },
    });
    const got = replyTo(request, expected, leaveAfterMs);
    request.end(body);
    return got;
  }

  /** A visit at the ingress, over a connection of its own. */
  visit(port: number, path: string, token: string, expected: string): Promise<Got> {
    const request = http.request({
      agent: false,
      host: "127.0.0.1",
      port,
      path,
      headers: { authorization: `Bearer ${token}` },
    });
    const got = replyTo(request, expected);
    request.end();
    return got;
  }

  /** Several calls at once on one connection by HTTP/2. */
  async requests(
    host: Inside,
    asks: readonly {
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly expected: string;
      readonly done: (got: Got) => void;
    }[],
  ): Promise<void> {
    const socket = await this.#connect(host, ["h2"]);
    if (socket === undefined) {
      for (const { done } of asks) done({ whole: false });
      return;
    }
    const session = http2.connect(`https://${host.name}:${host.port}`, {
      createConnection: () => socket,
    });
    session.on("error", () => undefined);
    const one = ({ path, headers, body, expected, done }: (typeof asks)[number]): Promise<void> =>
      new Promise((resolve) => {
        const stream = session.request(
          { ":method": body === undefined ? "GET" : "POST", ":path": path, ...headers },
          { endStream: body === undefined },
        );
        let status: number | undefined;
        let ended = false;
        const chunks: Buffer[] = [];
        let hung = false;
        const timer = setTimeout(() => {
          hung = true;
          stream.destroy();
        }, HANGS_MS);
        stream.on("error", () => undefined);
        stream.on("response", (fields) => {
          status = fields[":status"];
        });
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          ended = true;
        });
        stream.once("close", () => {
          clearTimeout(timer);
          const text = Buffer.concat(chunks).toString("latin1");
          const whole = ended && status !== undefined && stream.rstCode === 0;
          done({
            whole,
            ...(hung ? { hung } : {}),
            ...(status === undefined ? {} : { status }),
            ...(whole && status === 200 && text !== expected
              ? { wrong: `${text.length} bytes by HTTP/2, not those ${expected.length}` }
              : {}),
          });
          resolve();
        });
        if (body !== undefined) stream.end(body);
      });
    await Promise.all(asks.map(one));
    session.destroy();
    socket.destroy();
  }

  /** A WebSocket on which `count` messages go out, each answered with what is expected. */
  webSocket(
    host: Inside,
    path: string,
    count: number,
    expected: (message: string) => string,
  ): Promise<Got> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`wss://${host.name}:${host.port}${path}`, {
        ca: this.#ca,
        headers: { "x-api-key": host.phantom },
        perMessageDeflate: false,
        lookup: (_name, options, found) => {
          if (options.all === true) found(null, [{ address: host.address, family: 4 }]);
          else found(null, host.address, 4);
        },
      });
      let status: number | undefined;
      let right = 0;
      let wrong: string | undefined;
      let hung = false;
      const timer = setTimeout(() => {
        hung = true;
        socket.terminate();
      }, HANGS_MS);
      socket.on("error", () => undefined);
      socket.on("upgrade", () => {
        status = 101;
      });
      socket.on("unexpected-response", (_request, response: IncomingMessage) => {
        status = response.statusCode;
        socket.terminate();
      });
      socket.on("open", () => {
        for (let index = 0; index < count; index += 1) socket.send(messageOf(index));
      });
      socket.on("message", (data: Buffer) => {
        if (data.toString() === expected(messageOf(right))) right += 1;
        else wrong ??= `a message is not the one that was to come`;
        if (right === count) socket.close(1000);
      });
      socket.on("close", () => {
        clearTimeout(timer);
        resolve({
          whole: right === count,
          ...(hung ? { hung } : {}),
          ...(status === undefined ? {} : { status }),
          ...(wrong === undefined ? {} : { wrong }),
        });
      });
    });
  }

  /** Sends so many bytes through a connection that echoes them; TLS where it is a tunnel. */
  async through(host: Inside, bytes: number, ca: string | undefined): Promise<Got> {
    const raw = net.connect({ host: host.address, port: host.port });
    raw.on("error", () => undefined);
    const socket: Socket =
      ca === undefined ? raw : tls.connect({ socket: raw, servername: host.name, ca });
    socket.on("error", () => raw.destroy());
    const state = { ended: false, hung: false };
    const timer = setTimeout(() => {
      state.hung = true;
      raw.destroy();
      socket.destroy();
    }, HANGS_MS);
    const sent = Buffer.alloc(bytes, "through");
    const chunks: Buffer[] = [];
    let length = 0;
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= bytes) socket.end();
    });
    socket.on("end", () => {
      state.ended = true;
    });
    raw.once("connect", () => {
      if (ca === undefined) socket.write(sent);
    });
    socket.once("secureConnect", () => {
      socket.write(sent);
    });
    await closed(socket);
    clearTimeout(timer);
    raw.destroy();
    const got = Buffer.concat(chunks);
    return {
      whole: state.ended && length === bytes,
      ...(state.hung ? { hung: true } : {}),
      ...(length > 0 ? { status: 200 } : {}),
      ...(sent.subarray(0, length).equals(got) ? {} : { wrong: "other bytes came back" }),
    };
  }

  /** Bytes that get no further than the door, and what is answered. */
  async knock(host: Inside, how: "plain" | "other-name"): Promise<boolean> {
    const raw = net.connect({ host: host.address, port: host.port });
    raw.on("error", () => undefined);
    const timer = setTimeout(() => raw.destroy(), HANGS_MS);
    let answered = false;
    if (how === "plain") {
      raw.on("data", () => {
        answered = true;
      });
      raw.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    } else {
      const socket = tls.connect({ socket: raw, servername: "other.soak.test", ca: this.#ca });
      socket.on("error", (error: NodeJS.ErrnoException) => {
        answered ||=
          error.code?.includes("ALERT") === true || error.code?.startsWith("ERR_SSL") === true;
        raw.destroy();
      });
    }
    await closed(raw);
    clearTimeout(timer);
    return answered;
  }

  /** The addresses of a name, or the RCODE that there are none; `undefined` where no answer came. */
  async askUdp(port: number, name: string, waitMs: number): Promise<Buffer | undefined> {
    const socket = dgram.createSocket("udp4");
    socket.on("error", () => undefined);
    const answer = new Promise<Buffer | undefined>((resolve) => {
      socket.once("message", resolve);
      setTimeout(() => resolve(undefined), waitMs);
    });
    socket.send(questionFor(name), port, "127.0.0.1", () => undefined);
    const bytes = await answer;
    socket.close();
    return bytes;
  }

  async askTcp(port: number, name: string): Promise<Buffer | undefined> {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    const timer = setTimeout(() => socket.destroy(), HANGS_MS);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      socket.end();
    });
    const question = questionFor(name);
    socket.write(Buffer.concat([Buffer.from([0, question.length]), question]));
    await closed(socket);
    clearTimeout(timer);
    return chunks.length === 0 ? undefined : Buffer.concat(chunks).subarray(2);
  }

  /** Lets go of every connection. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agent(host: Inside): https.Agent {
    const key = host.name;
    const there = this.#agents.get(key);
    if (there !== undefined) return there;
    const agent = new https.Agent({ keepAlive: true, maxSockets: 16, timeout: HANGS_MS + 5000 });
    this.#agents.set(key, agent);
    return agent;
  }

  #connect(host: Inside, alpn: readonly string[]): Promise<tls.TLSSocket | undefined> {
    return new Promise((resolve) => {
      const socket = tls.connect({
        host: host.address,
        port: host.port,
        servername: host.name,
        ca: this.#ca,
        ALPNProtocols: [...alpn],
      });
      socket.on("error", () => undefined);
      const timer = setTimeout(() => socket.destroy(), HANGS_MS);
      socket.once("secureConnect", () => {
        clearTimeout(timer);
        resolve(socket);
      });
      socket.once("close", () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }
}

/** `once` of node:events would throw the error that comes before. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** @param leaveAfterMs goes away so long after asking. */
function replyTo(
  request: http.ClientRequest,
  expected: string,
  leaveAfterMs?: number,
): Promise<Got> {
  return new Promise((resolve) => {
    let response: IncomingMessage | undefined;
    const timer = setTimeout(() => {
      request.destroy();
      settle({ whole: false, hung: true });
    }, HANGS_MS);
    const leave =
      leaveAfterMs === undefined ? undefined : setTimeout(() => request.destroy(), leaveAfterMs);
    const settle = (got: Got): void => {
      clearTimeout(timer);
      clearTimeout(leave);
      resolve(got);
    };
    const cut = (): void => {
      settle(statusOf(response, { whole: false }));
    };
    request.once("error", cut);
    request.once("response", (it) => {
      response = it;
      const chunks: Buffer[] = [];
      it.on("data", (chunk: Buffer) => chunks.push(chunk));
      it.once("error", cut);
      it.once("close", () => {
        if (!it.complete) {
          cut();
          return;
        }
        const text = Buffer.concat(chunks).toString("latin1");
        const right = it.statusCode !== 200 || text === expected;
        settle(
          statusOf(it, {
            whole: true,
            ...(right ? {} : { wrong: `${text.length} bytes, not those ${expected.length}` }),
          }),
        );
      });
    });
  });
}

export function messageOf(index: number): string {
  return JSON.stringify({ op: 1, d: index });
}

function statusOf(response: IncomingMessage | undefined, got: Got): Got {
  const status = response?.statusCode;
  return status === undefined ? got : { ...got, status };
}

/** RFC 1035 section 4.1: type A, class IN. */
function questionFor(name: string): Buffer {
  const labels = name
    .split(".")
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([
    Buffer.from([0x51, 0x0a, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...labels,
    Buffer.from([0, 0, 1, 0, 1]),
  ]);
}
