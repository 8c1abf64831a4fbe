// Runs inside a bot's wall, for a command of an agent whose tools have containers: asks what keeps them, outside
// of the wall, and is the command's standard input, output and exit status here. The frames are those of
// src/host/containers/messages.ts. When this process ends, the container does.
import { connect } from "node:net";
import process from "node:process";

const SOCKET = "/run/containers/socket";
const COMMAND = 1;
const INPUT = 2;
const OUTPUT = 3;
const ERRORS = 4;
const ENDED = 5;
const REFUSED = 6;
const HEAD = 5;
const PART = 64 * 1024;
/** As `podman run` has it for what it couldn't start. */
const NOT_STARTED = 125;

const { SEAWALL_AGENT: agent, SEAWALL_SCRIPT: script } = process.env;
const socket = connect(SOCKET);
let rest = Buffer.alloc(0);
let code;

function frame(kind, data) {
  const head = Buffer.alloc(HEAD);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
}

function give(stream, data) {
  if (stream.write(data)) return;
  socket.pause();
  stream.once("drain", () => socket.resume());
}

function end(status, text) {
  if (code !== undefined) return;
  code = status;
  if (text !== undefined) process.stderr.write(`seawall: ${text}\n`);
  process.exitCode = status;
  process.stdin.destroy();
  socket.destroy();
}

socket.on("data", (part) => {
  rest = Buffer.concat([rest, part]);
  while (rest.length >= HEAD && rest.length >= HEAD + rest.readUInt32BE(1)) {
    const data = rest.subarray(HEAD, HEAD + rest.readUInt32BE(1));
    const kind = rest.readUInt8(0);
    rest = rest.subarray(HEAD + data.length);
    if (kind === OUTPUT) give(process.stdout, data);
    else if (kind === ERRORS) give(process.stderr, data);
    else if (kind === ENDED) end(Number(data.toString()));
    else if (kind === REFUSED) end(NOT_STARTED, data.toString());
  }
});
socket.on("error", () => end(NOT_STARTED, "what keeps the containers can't be reached"));
socket.on("close", () => end(NOT_STARTED, "what keeps the containers has gone"));
socket.write(frame(COMMAND, Buffer.from(JSON.stringify({ agent, script }))));

process.stdin.on("data", (part) => {
  for (let at = 0; at < part.length; at += PART) {
    if (socket.write(frame(INPUT, part.subarray(at, at + PART)))) continue;
    process.stdin.pause();
    socket.once("drain", () => process.stdin.resume());
  }
});
process.stdin.on("end", () => socket.write(frame(INPUT, Buffer.alloc(0))));
process.stdin.on("error", () => undefined);
// Nobody reads what the command says.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => end(NOT_STARTED));
