import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

export interface TestServer {
  readonly port: number;
  /** Every connection it has had. */
  readonly sockets: readonly Socket[];
}

/** Servers on the loopback that end, with all their connections, when the tests do. */
export class TestServers {
  readonly #closers: (() => unknown)[] = [];

  async serve(server: net.Server, address = "127.0.0.1", port = 0): Promise<TestServer> {
    const sockets: Socket[] = [];
    server.on("connection", (socket: Socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
    });
    server.on("tlsClientError", () => undefined);
    server.listen(port, address);
    await once(server, "listening");
    this.onEnd(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return { port: (server.address() as AddressInfo).port, sockets };
  }

  /** A server that does with each connection what it is told. */
  handle(act: (socket: Socket) => void, address?: string, port?: number): Promise<TestServer> {
    return this.serve(net.createServer(act), address, port);
  }

  /**
   * A port at which connecting takes for ever: its queue is full and its thread asleep, so that the
   * kernel drops what comes.
   */
  async blackHole(address: string): Promise<number> {
    const asleep = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       const server = require("node:net").createServer();
       server.listen({ port: 0, host: workerData.address, backlog: 1 }, () => {
         parentPort.postMessage(server.address().port);
         setImmediate(() => Atomics.wait(workerData.asleep, 0, 0) && process.exit());
       });`,
      { eval: true, workerData: { address, asleep } },
    );
    const [port] = (await once(worker, "message")) as [number];
    const fillers = Array.from({ length: 8 }, () => net.connect(port, address));
    for (const filler of fillers) filler.on("error", () => undefined);
    this.onEnd(async () => {
      Atomics.store(asleep, 0, 1);
      Atomics.notify(asleep, 0);
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    });
    await once(fillers[0] ?? net.connect(port, address), "connect");
    return port;
  }

  onEnd(close: () => unknown): void {
    this.#closers.push(close);
  }

  async end(): Promise<void> {
    for (const close of this.#closers) await close();
  }
}
