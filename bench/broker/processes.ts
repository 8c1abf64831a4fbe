import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import net from "node:net";
import { delimiter, join } from "node:path";
import { MissingError } from "./Contender.ts";

/** The core that a contender has for itself; load and upstream run on the other. */
export const PROXY_CORE = "0";
export const LOAD_CORE = "1";

/** @throws MissingError */
export function requireProgram(name: string): string {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new MissingError(name);
  return found;
}

export interface Started {
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/** Starts a program on one core. Its errors are shown when it ends by itself. */
export function startOn(
  core: string,
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Started {
  const [program = "", ...args] = command;
  const child = spawn("taskset", ["-c", core, requireProgram(program), ...args], {
    ...options,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stopping = false;
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  child.once("exit", (code) => {
    if (!stopping) process.stderr.write(`${program} ended (${code}): ${errors}\n`);
  });
  return {
    child,
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 2_000);
      await once(child, "exit");
      clearTimeout(timer);
    },
  };
}

/** Moves a process with all its threads to a core. */
export function pin(pid: number, core: string): void {
  spawnSync("taskset", ["-a", "-p", "-c", core, String(pid)], { stdio: "ignore" });
}

/** Waits until something accepts connections there, at most 20 s. */
export async function untilOpen(address: string, port: number): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ host: address, port }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => {
        resolve(false);
      });
    });
    if (open) return;
    if (Date.now() > until) throw new Error(`nothing listens at ${address}:${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The process and all its descendants. */
export function familyOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return [];
  const children = readFileSync(path, "utf8").trim().split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap((child) => familyOf(child))];
}

/** Resident memory in MB, proportional where processes share pages (smaps_rollup's Pss). */
export function residentMB(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      sum += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum / 1024;
}

/** Processor time of the processes, user and system, in seconds. */
export function processorSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks / 100;
}
