import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import net, { type Socket } from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import type { RunningContender } from "./Contender.ts";
import { LOAD_CORE, requireProgram } from "./processes.ts";

export const PATH = "/v1/messages";

export interface Throughput {
  readonly callsPerSecond: number;
  /** Answers other than 2xx, and connections that failed. */
  readonly failed: number;
}

/** As many calls as 64 kept-alive connections make in so many seconds, by wrk. */
export async function measureThroughput(
  target: RunningContender,
  options: { readonly tls: boolean; readonly seconds: number; readonly folder: string },
): Promise<Throughput> {
  const script = join(options.folder, "call.lua");
  // wrk adds a Host of its own unless one is there in just this spelling.
  const headers = Object.entries(target.headers).map(
    ([name, value]) => `wrk.headers["${name === "host" ? "Host" : name}"] = "${value}"`,
  );
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.body = '{"model":"m","messages":[{"role":"user","content":"Anything new at the harbour?"}]}'\n` +
      `wrk.path = "${target.prefix ?? ""}${PATH}"\nwrk.headers["content-type"] = "application/json"\n${headers.join("\n")}\n`,
  );
  const url = `${options.tls ? "https" : "http"}://${target.address}:${target.port}${PATH}`;
  const child = spawn(
    "taskset",
    [
      "-c",
      LOAD_CORE,
      requireProgram("wrk"),
      "-t1",
      "-c64",
      `-d${options.seconds}s`,
      "-s",
      script,
      url,
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, "exit");
  const count = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    callsPerSecond: count(/Requests\/sec:\s+([\d.]+)/),
    failed:
      count(/Non-2xx or 3xx responses: (\d+)/) +
      count(/Socket errors: connect (\d+)/) +
      count(/ read (\d+), write/),
  };
}

/** A connection of a bot. */
export async function connectTo(
  target: { readonly address: string; readonly port: number },
  useTls: boolean,
): Promise<Socket> {
  const options = { host: target.address, port: target.port };
  // The contender's certificate is made for this run; what is measured is the way through it.
  const socket = useTls
    ? tls.connect({ ...options, rejectUnauthorized: false })
    : net.connect(options);
  socket.setNoDelay(true);
  await once(socket, useTls ? "secureConnect" : "connect");
  socket.on("error", () => socket.destroy());
  return socket;
}

export function requestText(
  headers: Readonly<Record<string, string>>,
  target: string,
  body: string,
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${target} HTTP/1.1\r\n${lines.join("")}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Milliseconds from a call to the end of its answer, one call at a time on one connection. */
export async function measureLatency(
  target: RunningContender,
  options: { readonly tls: boolean; readonly calls: number },
): Promise<readonly number[]> {
  const socket = await connectTo(target, options.tls);
  const text = requestText(target.headers, `${target.prefix ?? ""}${PATH}`, '{"model":"m"}');
  const times: number[] = [];
  let heard = "";
  let answered: (() => void) | undefined;
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
    const end = heard.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/^content-length: (\d+)/im.exec(heard.slice(0, end))?.[1] ?? -1);
    const done = length >= 0 ? heard.length >= end + 4 + length : heard.endsWith("\r\n0\r\n\r\n");
    if (!done) return;
    if (!heard.startsWith("HTTP/1.1 200")) throw new Error(heard.slice(0, 200));
    heard = "";
    answered?.();
  });
  for (let call = 0; call < options.calls; call += 1) {
    const done = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const began = process.hrtime.bigint();
    socket.write(text);
    await done;
    times.push(Number(process.hrtime.bigint() - began) / 1e6);
  }
  socket.destroy();
  return times;
}

/** Opens a stream; `first` is when its first event came, in ms after the request was sent. */
export async function openStream(
  target: { readonly address: string; readonly port: number },
  options: {
    readonly tls: boolean;
    readonly headers: Readonly<Record<string, string>>;
    readonly target: string;
  },
): Promise<{
  readonly socket: Socket;
  readonly first: Promise<number>;
  readonly ended: Promise<void>;
  readonly events: () => number;
}> {
  const socket = await connectTo(target, options.tls);
  const began = process.hrtime.bigint();
  let events = 0;
  let tail = "";
  const first = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    const text = tail + chunk.toString("latin1");
    for (let at = text.indexOf("data: "); at >= 0; at = text.indexOf("data: ", at + 6)) events += 1;
    tail = text.slice(-5);
    if (events > 0) first.resolve(Number(process.hrtime.bigint() - began) / 1e6);
    if (text.includes("\r\n0\r\n\r\n") || text.endsWith("0\r\n\r\n")) ended.resolve();
  });
  socket.once("close", () => {
    first.reject(new Error("the stream ended before its first event"));
    ended.resolve();
  });
  first.promise.catch(() => undefined);
  socket.write(requestText(options.headers, options.target, "{}"));
  return { socket, first: first.promise, ended: ended.promise, events: () => events };
}
