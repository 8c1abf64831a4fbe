import { connect } from "node:net";

/**
 * Runs in a bot's network: connects to an address again and again, each time for a TLS alert or at
 * least a connection that is taken, and says how it went when its input ends.
 */
const [address = "", port = "443"] = process.argv.slice(2);
const outcome = { taken: 0, refused: 0 };
const over = new AbortController();
process.stdin.resume().once("end", () => over.abort());
process.stdout.write("started\n");
while (!over.signal.aborted) {
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), address);
    socket.once("connect", () => {
      outcome.taken++;
      socket.destroy();
    });
    socket.once("error", () => outcome.refused++);
    socket.once("close", () => setTimeout(resolve, 5));
  });
}
process.stdout.write(`${JSON.stringify(outcome)}\n`);
