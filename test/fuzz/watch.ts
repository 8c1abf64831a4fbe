import { Worker } from "node:worker_threads";

/** An input may take this long; a reader that takes longer never comes back. */
const LONGEST_SECONDS = 10;
const MOST_BYTES = 16_384;

/** Sees from a thread of its own whether the reader comes back from each input. */
export interface Watch {
  /** Said before each input. */
  tries(bytes: Buffer): void;
  end(): void;
}

/**
 * Begins to watch. When a reader never comes back, its input is kept in `file` and the process is
 * ended by SIGKILL, since nothing else gets at it.
 */
export function startWatch(file: string): Watch {
  const shared = new SharedArrayBuffer(8 + MOST_BYTES);
  const numbers = new Int32Array(shared, 0, 2);
  const input = new Uint8Array(shared, 8);
  const worker = new Worker(
    `const { workerData: { shared, file, seconds } } = require("node:worker_threads");
     const { writeFileSync, writeSync } = require("node:fs");
     const numbers = new Int32Array(shared, 0, 2);
     let last = -1, same = 0;
     setInterval(() => {
       same = numbers[0] === last ? same + 1 : 0;
       last = numbers[0];
       if (same < seconds) return;
       writeFileSync(file, Buffer.from(shared, 8, numbers[1]));
       writeSync(1, "  FOUND " + file + ": the reader never comes back from it\\n");
       process.kill(process.pid, "SIGKILL");
     }, 1000);`,
    { eval: true, workerData: { shared, file, seconds: LONGEST_SECONDS } },
  );
  worker.unref();
  return {
    tries(bytes) {
      input.set(bytes.subarray(0, MOST_BYTES));
      numbers[1] = Math.min(bytes.length, MOST_BYTES);
      numbers[0] = (numbers[0] ?? 0) + 1;
    },
    end() {
      void worker.terminate();
    },
  };
}
