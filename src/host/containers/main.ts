import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ContainerRun } from "./ContainerRun.ts";
import { ContainerServer } from "./ContainerServer.ts";
import { KEEPER, type FromKeeper, type KeeperSetup, type ToKeeper } from "./messages.ts";
import { openFolder } from "./openWorkspace.ts";
import { Podman } from "./Podman.ts";
import { RUNTIMES, type Runtime } from "./podmanArguments.ts";

/**
 * The keeper of one bot's containers. The supervisor starts it and is all that it hears; started by root it has the
 * bot's rights and no others before it looks at anything. It ends with the supervisor, and its containers with it:
 * whatever it has started is in its PID namespace.
 */
let podman: Podman | undefined;
let server: ContainerServer | undefined;
let stopping = false;

process.on("message", (message) => {
  const said = message as ToKeeper;
  if (said.type === "stop") stop(said.forget);
  else
    void begin(said.setup).catch((error: unknown) => {
      tell({ type: "failed", message: error instanceof Error ? error.message : "unknown failure" });
      stop();
    });
});
process.on("disconnect", () => stop());
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => stop());
tell({ type: "started" });

async function begin(setup: KeeperSetup): Promise<void> {
  const { uid, image } = setup;
  const { folder } = KEEPER;
  if (uid !== undefined) {
    // Root's bubblewrap covers parts of /proc, and the kernel lets nobody have another one then.
    spawnSync("mount", ["-t", "proc", "-o", "nosuid,nodev,noexec", "proc", "/proc"]);
    process.setgroups?.([]);
    process.setgid?.(uid);
    process.setuid?.(uid);
  }
  if (process.getuid?.() === 0) throw new Error("containers are never root's");
  process.umask(0o077);
  podman = new Podman(setup.podman, folder);
  podman.prepare();
  // Of a keeper that was killed only their names are left.
  podman.endAll();
  bringImage(podman, image);
  const runtime = await firstThatWorks(podman, setup);
  server = new ContainerServer(setup, {
    podman,
    runtime,
    note: (text) => void process.stderr.write(`${text}\n`),
  });
  await server.listen(join(KEEPER.socket, "socket"));
  tell({ type: "ready", runtime: runtime.name });
}

/** The declared image and no other. Not from any network: who runs this Seawall has it, or it isn't there. */
function bringImage(using: Podman, image: string): void {
  if (!using.ask(["image", "exists", image]).ok) {
    tell({ type: "wants-image" });
    const loaded = using.ask(["load"], 0);
    if (!using.ask(["image", "exists", image]).ok)
      throw new Error(`the image can't be loaded: ${loaded.errors.trim().slice(0, 300)}`);
  }
  const all = using.ask(["images", "--quiet", "--no-trunc"]).said.split("\n");
  const others = [...new Set(all)].filter((id) => id !== "" && id !== image);
  if (others.length > 0) using.ask(["rmi", "--force", ...others]);
}

/** Runs the image's shell in a folder of the keeper's, as a command of an agent's would be. */
async function firstThatWorks(using: Podman, { image }: KeeperSetup): Promise<Runtime> {
  const trial = join(KEEPER.folder, "trial");
  mkdirSync(trial, { recursive: true, mode: 0o700 });
  const reasons: string[] = [];
  for (const runtime of RUNTIMES) {
    const run = new ContainerRun({
      podman: using,
      runtime,
      image,
      workspace: openFolder(trial),
      inside: join(KEEPER.home, "agents", "trial"),
      script: "echo seawall works; exit 42",
    });
    let said = "";
    let errors = "";
    run.child.stdin.end();
    run.output.on("data", (part: Buffer) => (said = (said + part.toString()).slice(0, 200)));
    run.child.stderr.on(
      "data",
      (part: Buffer) => (errors = (errors + part.toString()).slice(0, 400)),
    );
    const { code, refusal } = await run.ended;
    if (code === 42 && said === "seawall works\n") return runtime;
    reasons.push(`${runtime.name}: ${(refusal ?? errors).trim() || `exit status ${code}`}`);
  }
  throw new Error(`no container can be started: ${reasons.join("; ")}`);
}

function tell(message: FromKeeper): void {
  process.send?.(message);
}

/** Once the containers are gone nothing is left that this process would wait for. */
function stop(forget = false): void {
  if (stopping) return;
  stopping = true;
  server?.close();
  // Blocks until they have gone; nothing is to be answered any more.
  podman?.endAll();
  if (forget) podman?.forgetImages();
  if (process.connected) process.disconnect?.();
  process.stdin.destroy();
}
