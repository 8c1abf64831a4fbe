// What a wall is tried with, in it and outside of it: `node -e <this file> <job as JSON>`; see
// proveSeatbelt.ts. Prints one line, the outcome of each act: "done", or the code of the error.
"use strict";

const { spawnSync } = require("node:child_process");
const dgram = require("node:dgram");
const fs = require("node:fs");
const net = require("node:net");
const { join } = require("node:path");

const job = JSON.parse(process.argv[1]);
const { allowed, outside } = job;
const mine = (name) => join(allowed.writes, `.seawall-proof-${job.id}-${name}`);

/** @param {object} to as net.connect takes it */
const connect = (to) =>
  new Promise((resolve, reject) => {
    const socket = net.connect({ ...to, timeout: 2_000 });
    socket.on("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.on("timeout", () => socket.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" })));
    socket.on("error", reject);
  });

/** @param {object} at as server.listen takes it */
const listen = (at) =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", reject);
    server.listen(at, () => server.close(resolve));
  });

/** @param {(socket: import("node:dgram").Socket, done: (error?: Error | null) => void) => void} use */
const datagram = (use) =>
  new Promise((resolve, reject) => {
    const socket = dgram.createSocket("udp4");
    const done = (error) => {
      socket.removeAllListeners("error").on("error", () => undefined);
      socket.close();
      if (error) reject(error);
      else resolve();
    };
    socket.on("error", done);
    use(socket, done);
  });

/** @param {string} program */
const execute = (program, args = []) => {
  const { error, status, signal } = spawnSync(program, args, { stdio: "ignore", timeout: 10_000 });
  if (error) throw error;
  if (status !== 0) throw Object.assign(new Error(), { code: `status ${status ?? signal}` });
};

const remove = (path) => fs.rmSync(path, { force: true });

const acts = {
  "read what it is granted": () => fs.closeSync(fs.openSync(allowed.reads, "r")),
  "write its own folder": () => {
    fs.writeFileSync(mine("file"), "x");
    fs.rmSync(mine("file"));
  },
  "execute what it is granted": () => execute(process.execPath, ["--version"]),
  "connect to the broker": () => connect({ port: allowed.connects, host: "127.0.0.1" }),
  "answer at its own port": () => listen({ port: allowed.binds, host: "127.0.0.1" }),

  "read a file outside": () => fs.readFileSync(outside.file),
  "list a folder outside": () => fs.readdirSync(outside.folder),
  "list its owner's home": () => fs.readdirSync(outside.home),
  "write a file outside": () => fs.writeFileSync(join(outside.folder, `${job.id}-written`), "x"),
  "remove a file outside": () => fs.rmSync(join(outside.folder, `${job.id}-spare`)),
  "link a file outside to its own folder": () => {
    try {
      fs.linkSync(outside.file, mine("linked"));
    } finally {
      remove(mine("linked"));
    }
  },
  "read a file outside by a link of its own": () => {
    try {
      fs.symlinkSync(outside.file, mine("link"));
      fs.readFileSync(mine("link"));
    } finally {
      remove(mine("link"));
    }
  },
  "execute a file that it wrote": () => {
    try {
      fs.writeFileSync(mine("program"), `#!${process.execPath}\n`, { mode: 0o700 });
      execute(mine("program"));
    } finally {
      remove(mine("program"));
    }
  },
  "execute a program that isn't granted": () => execute(outside.program, outside.arguments),
  "connect to another port of this host": () => connect({ port: outside.port, host: "127.0.0.1" }),
  // Nobody listens there; that it says so is enough.
  "connect to another address": () => connect({ port: outside.port, host: outside.address }),
  "connect to a Unix socket": () => connect({ path: outside.socket }),
  "send a datagram": () =>
    datagram((socket, done) => socket.send("x", outside.datagrams, "127.0.0.1", done)),
  // Nothing is sent by that: the address is one that is nobody's (RFC 5737).
  "connect datagrams to an outside address": () =>
    datagram((socket, done) => socket.connect(9, "192.0.2.1", done)),
  "answer at another port": () => listen({ port: 0, host: "127.0.0.1" }),
  // At the port that it has: whether that is for this host alone.
  "answer to other computers": () => listen({ port: allowed.binds, host: "0.0.0.0" }),
  "signal a process outside": () => process.kill(outside.pid, "SIGWINCH"),
};

void (async () => {
  const outcomes = {};
  for (const name of job.acts) {
    try {
      await acts[name]();
      outcomes[name] = "done";
    } catch (error) {
      outcomes[name] = String(error?.code ?? error?.message ?? "failed");
    }
  }
  fs.writeSync(1, `${JSON.stringify(outcomes)}\n`);
  // Whatever socket is left must not keep it.
  // oxlint-disable-next-line no-process-exit -- a program of its own
  process.exit(0);
})();
