import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Witness } from "./Witness.ts";

/** Another program of the same user, which holds a marker in its memory, arguments and environment. */
export interface Victim {
  readonly pid: number;
  /** Of its service on 127.0.0.1, which answers with the marker. */
  readonly port: number;
  /** Name of its abstract socket, likewise. */
  readonly abstract: string;
  close(): Promise<void>;
}

const CODE = `
const net = require("node:net");
const [, marker, name] = process.argv;
const held = Buffer.from(marker);
const answer = (socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    process.stdout.write(data.toString("latin1") + "\\n");
    socket.end(held);
  });
};
const server = net.createServer(answer).listen(0, "127.0.0.1", () => {
  net.createServer(answer).listen("\\0" + name, () => {
    process.stdout.write(JSON.stringify({ port: server.address().port }) + "\\n");
  });
});
process.stdin.resume().on("end", () => process.exit());
`;

export async function startVictim(options: {
  readonly node: string;
  readonly uid: number | undefined;
  readonly marker: string;
  readonly name: string;
  readonly witness: Witness;
}): Promise<Victim> {
  const { node, uid, marker, name, witness } = options;
  const child = spawn(node, ["-e", CODE, marker, name], {
    cwd: "/",
    env: { API_KEY: marker },
    stdio: ["pipe", "pipe", "ignore"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  // From the beginning: it may end before anybody asks it to.
  const closed = once(child, "close");
  closed.catch(() => undefined);
  child.stdin.on("error", () => undefined);
  const [first] = (await Promise.race([
    once(child.stdout, "data"),
    closed.then(() => {
      throw new Error("the victim did not start");
    }),
  ])) as [Buffer];
  const { port } = JSON.parse(first.toString().split("\n", 1).join("")) as { port: number };
  child.stdout.on("data", (data: Buffer) => witness.look(data.toString("latin1"), "the neighbour"));
  return {
    pid: child.pid ?? 0,
    port,
    abstract: name,
    close: async () => {
      child.stdin.end();
      await closed;
    },
  };
}
