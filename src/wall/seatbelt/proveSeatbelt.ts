import { spawn } from "node:child_process";
import { once } from "node:events";
import { createSocket } from "node:dgram";
import {
  accessSync,
  constants,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { homedir, networkInterfaces } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CompiledWall, SeatbeltProof, SeatbeltWall } from "../CompiledWall.ts";
import { WallError } from "../WallError.ts";
import { actsFor, judgeProof, keptFromOpen, type Outcomes } from "./judgeProof.ts";
import { seatbeltCommand } from "./startSeatbelt.ts";

const ATTEMPTS = fileURLToPath(new URL("./attempts.cjs", import.meta.url));
const LIMIT_MS = 60_000;
/** Programs that take a path and do no harm, of which the first is tried that a bot isn't granted. */
const PROGRAMS = ["/usr/bin/true", "/bin/echo", "/usr/bin/basename", "/bin/ls"];

/**
 * Tries a wall before anything runs behind it: Node behind the very profile does what is allowed and must
 * succeed, and what is forbidden and must be refused, and the same Node without the profile does all of it
 * and must succeed. What a profile amounts to can't be known otherwise: its language isn't documented, and
 * changes with macOS.
 *
 * Does nothing for a wall that isn't a profile.
 *
 * @param folder a folder outside of the wall, which only its owner may enter; left as it was.
 * @param sandboxExec path of sandbox-exec(1).
 * @throws WallError `unproven` with everything that was otherwise than it has to be.
 */
export async function proveSeatbelt(
  { seatbelt }: Pick<CompiledWall, "seatbelt">,
  folder: string,
  sandboxExec: string,
): Promise<void> {
  if (seatbelt === undefined) return;
  const { proof } = seatbelt;
  if (proof === undefined) throw unproven(["it says nothing that could be tried"]);
  const surroundings = await surround(folder, proof);
  try {
    const node = seatbelt.command[0];
    const { acts, outside } = surroundings;
    const script = readFileSync(ATTEMPTS, "utf8");
    const trying = (id: string, tried: readonly string[]): readonly string[] => {
      const job = { id, acts: tried, allowed: proof, outside };
      return [node, "-e", script, JSON.stringify(job)];
    };
    const kept = keptFromOpen();
    const open = await attempt(
      trying(
        "open",
        acts.filter((act) => !kept.has(act)),
      ),
      seatbelt,
    );
    const command = trying("walled", acts);
    const before = surroundings.visits();
    const walled = await attempt(seatbeltCommand(seatbelt, sandboxExec, command), seatbelt);
    const complaints = judgeProof({ acts, open, walled });
    if (surroundings.visits() !== before && complaints.length === 0)
      complaints.push("something got out of it, though it said otherwise");
    if (complaints.length > 0) throw unproven(complaints);
  } finally {
    await surroundings.end();
  }
}

interface Surroundings {
  readonly acts: readonly string[];
  readonly outside: object;
  /** How many have reached what lies outside. */
  visits(): number;
  end(): Promise<void>;
}

/** What a wall keeps from: files, sockets, a program and this process. */
async function surround(folder: string, proof: SeatbeltProof): Promise<Surroundings> {
  const place = realpathSync(mkdtempSync(join(folder, "prove-")));
  let visits = 0;
  const servers: Server[] = [];
  const datagrams = createSocket("udp4");
  const end = async (): Promise<void> => {
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    await new Promise<void>((done) => datagrams.close(done));
    rmSync(place, { recursive: true, force: true });
  };
  try {
    const visit = (): void => void (visits += 1);
    const serve = async (at: object): Promise<Server> => {
      const server = createServer((socket) => {
        visit();
        socket.on("error", () => undefined).destroy();
      });
      servers.push(server);
      server.listen(at);
      await once(server, "listening");
      return server;
    };
    const address = ownAddress();
    const tcp = await serve({ port: 0, host: "127.0.0.1" });
    const socket = join(place, "s");
    await serve({ path: socket });
    datagrams.on("message", visit);
    datagrams.bind(0, "127.0.0.1");
    await once(datagrams, "listening");
    for (const name of ["file", "open-spare", "walled-spare"])
      writeFileSync(join(place, name), "x", { mode: 0o600 });
    const program = PROGRAMS.find((path) => isProgram(path) && !proof.executes.includes(path));
    return {
      acts: actsFor(proof, { address, program }),
      outside: {
        folder: place,
        file: join(place, "file"),
        socket,
        port: (tcp.address() as AddressInfo).port,
        datagrams: datagrams.address().port,
        address,
        program,
        arguments: ["/"],
        home: homedir(),
        pid: process.pid,
      },
      visits: () => visits,
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** An address of this computer's that isn't the loopback's, if it is in a network. */
function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs the script to its end. Gives what it printed, or why it printed nothing. */
async function attempt(
  [program = "", ...args]: readonly string[],
  { environment, cwd }: SeatbeltWall,
): Promise<Outcomes | string> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...environment },
    cwd,
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  child.on("error", (error) => (errors += error.message));
  await new Promise<void>((done) => child.once("close", () => done()));
  try {
    return JSON.parse(output) as Outcomes;
  } catch {
    return errors.trim().split("\n").at(-1)?.slice(0, 300) || "nothing was printed";
  }
}

function unproven(complaints: readonly string[]): WallError {
  const said = complaints.join("; ");
  return new WallError(
    "unproven",
    `the wall doesn't hold what it has to, so nothing is started: ${said}`,
    {
      hint: "what is tried, and what to report, is in docs/macos.md",
    },
  );
}
