import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeFolder } from "../../../files/index.ts";
import { LogFile } from "../../LogFile.ts";
import { ContainerKeeper } from "../../supervisor/ContainerKeeper.ts";
import { containersFolder, makeSocketFolder, type ContainerLaunch } from "../containerLaunches.ts";
import { findImage, findPodman } from "../findImage.ts";
import { frame, FrameReader } from "../FrameReader.ts";
import { FRAME } from "../messages.ts";

const APPLETS =
  "sh cat chmod echo env id ln ls mkdir mknod mount nc sleep touch tr unshare wc wget yes head";
export const ROOT = process.getuid?.() === 0;
/** As the supervisor does it: root's bots have uids of their own. */
export const UID = ROOT ? 1_879_050_007 : (process.getuid?.() ?? 0);

/** Why no container can be started here. */
export function lacksContainers(): string | false {
  if (process.env["CI"] === "true") return false;
  for (const program of ["podman", "busybox"])
    if (spawnSync(program, ["--help"]).status !== 0) return `${program} is missing`;
  return false;
}

/** An owner's Podman in a folder, with an image of nothing but busybox. */
export async function makeImage(folder: string): Promise<{
  readonly image: string;
  /** storage.conf(5) of that Podman. */
  readonly storage: string;
}> {
  const root = join(folder, "image");
  mkdirSync(join(root, "bin"), { recursive: true });
  for (const name of ["dev", "etc", "proc", "run", "sys", "tmp"]) mkdirSync(join(root, name));
  const busybox = execFileSync("sh", ["-c", "command -v busybox"]).toString().trim();
  copyFileSync(busybox, join(root, "bin", "busybox"));
  chmodSync(join(root, "bin", "busybox"), 0o755);
  for (const name of APPLETS.split(" ")) symlinkSync("busybox", join(root, "bin", name));
  const archive = join(folder, "image.tar");
  execFileSync("tar", ["--owner=0", "--group=0", "-C", root, "-cf", archive, "."]);
  const storage = join(folder, "storage.conf");
  const at = (name: string): string => JSON.stringify(join(folder, "owner", name));
  writeFileSync(
    storage,
    `[storage]\ndriver = "vfs"\ngraphroot = ${at("store")}\nrootless_storage_path = ${at("store")}\nrunroot = ${at("run")}\n`,
  );
  process.env["CONTAINERS_STORAGE_CONF"] = storage;
  const made = execFileSync("podman", ["--log-level=fatal", "import", "--quiet", archive], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return { image: await findImage(findPodman(), made.toString().trim(), "a"), storage };
}

/** What became of a command, as its bot sees it. */
export interface Ended {
  readonly code?: number;
  readonly refused?: string;
  readonly out: string;
  readonly errors: string;
}

/** A bot's keeper as the supervisor has it, with a home of the bot's and the test as what speaks for it. */
export class TestContainers implements AsyncDisposable {
  readonly folder: string;
  readonly keeper: ContainerKeeper;
  readonly launch: ContainerLaunch;

  private constructor(folder: string, launch: ContainerLaunch) {
    this.folder = folder;
    this.launch = launch;
    this.keeper = new ContainerKeeper(launch, new LogFile(join(folder, "containers.log")));
  }

  static async make(): Promise<TestContainers> {
    const folder = mkdtempSync(join(tmpdir(), "seawall-containers-"));
    chmodSync(folder, 0o711);
    const { image } = await makeImage(folder);
    makeSocketFolder(folder, "a", ROOT ? UID : undefined);
    mkdirSync(join(folder, "live"), { mode: 0o755 });
    const home = join(folder, "home");
    for (const path of ["", "agents", "agents/ops", "agents/plain", "state"]) {
      mkdirSync(join(home, path), { mode: 0o700 });
      chownSync(join(home, path), UID, UID);
    }
    const made = new TestContainers(folder, {
      bot: "a",
      setup: {
        podman: findPodman(),
        image,
        ...(ROOT ? { uid: UID } : {}),
      },
      folder: containersFolder(folder, "a"),
      home,
      live: join(folder, "live"),
      bwrap: "bwrap",
      environment: {
        PATH: process.env["PATH"] ?? "/usr/bin:/bin",
        HOME: process.env["HOME"] ?? "/",
        CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
      },
    });
    made.setAgents({ ops: "seawall-podman", plain: "seawall" });
    return made;
  }

  get home(): string {
    return this.launch.home;
  }

  setAgents(backends: Readonly<Record<string, string>>): void {
    const entries = Object.fromEntries(
      Object.entries(backends).map(([name, backend]) => [name, { sandbox: { backend } }]),
    );
    writeFileSync(join(this.launch.live, "agents.json"), JSON.stringify({ agents: { entries } }));
  }

  /** A connection as the bot may make it. */
  connect(): Socket {
    return connect(join(this.launch.folder, "socket", "socket"));
  }

  /** @param input none: the command's input stays open. */
  run(
    script: string,
    options: { readonly agent?: string; readonly input?: string | Buffer } = {},
  ): {
    readonly socket: Socket;
    readonly ended: Promise<Ended>;
    readonly said: (text: string) => Promise<void>;
  } {
    const { agent = "ops", input = "" } = options;
    const socket = this.connect();
    socket.write(frame(FRAME.command, JSON.stringify({ agent, script })));
    if (input.length > 0) socket.write(frame(FRAME.input, input));
    if (options.input !== undefined) socket.write(frame(FRAME.input));
    const reader = new FrameReader(() => 1024 * 1024);
    let out = "";
    let errors = "";
    let code: number | undefined;
    let refused: string | undefined;
    const waiting: { text: string; go: () => void }[] = [];
    socket.on("data", (part: Buffer) => {
      for (const { kind, data } of reader.take(part)) {
        if (kind === FRAME.output) out += data.toString();
        if (kind === FRAME.errors) errors += data.toString();
        if (kind === FRAME.ended) code = Number(data.toString());
        if (kind === FRAME.refused) refused = data.toString();
      }
      for (const { text, go } of waiting) if (out.includes(text)) go();
    });
    const { promise: ended, resolve } = Promise.withResolvers<Ended>();
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve({
        ...(code === undefined ? {} : { code }),
        ...(refused === undefined ? {} : { refused }),
        out,
        errors,
      });
    });
    const said = (text: string): Promise<void> => {
      if (out.includes(text)) return Promise.resolve();
      const heard = new Promise<void>((go) => waiting.push({ text, go }));
      const gone = ended.then((end) => {
        throw new Error(`it ended before it said so: ${JSON.stringify(end)}`);
      });
      return Promise.race([heard, gone]);
    };
    return { socket, ended, said };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keeper.stop(true);
    delete process.env["CONTAINERS_STORAGE_CONF"];
    if (!ROOT) spawnSync("podman", ["unshare", "rm", "-rf", join(this.folder, "owner")]);
    removeFolder(this.folder);
  }
}
