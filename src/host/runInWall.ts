import { realpathSync } from "node:fs";
import { ensureNode } from "../openclaw/index.ts";
import { probeHost, type Mount, type WalledExit } from "../wall/index.ts";
import type { StatePaths } from "../paths/index.ts";
import { storeLauncher } from "./storeLauncher.ts";
import { storeProgram, type InsideProgram } from "./storeProgram.ts";
import { startTool, toolWall, type WalledTool } from "./toolWall.ts";

/** Databases are copied there. */
const TMP_BYTES = 768 * 1024 * 1024;
const LONGEST_LINE = 4 * 1024 * 1024;

/**
 * Brings a program of ours into the store and finds out what walls this host can enforce.
 *
 * @throws HostError, OpenClawError, WallError for what is lacking.
 */
export async function prepareTool(paths: StatePaths, program: InsideProgram): Promise<WalledTool> {
  const { entry } = await ensureNode(process.execPath, paths.store);
  const launcher = storeLauncher(paths.store);
  return {
    node: entry,
    launcher,
    folder: storeProgram(paths.store, program),
    capabilities: await probeHost({ launcher }),
  };
}

/**
 * Runs a program of ours inside a wall without network, with the job as a file there, and hands over
 * what it prints line by line. What a bot wrote is looked at in such a wall and nowhere else.
 *
 * @param uid whom it runs as, which only root can say: the owner of what it looks at, since inside it
 *   has no right of root's.
 * @param stallMs how long it may say nothing; then it is killed.
 * @throws WallError when it can't be started.
 */
export async function runInWall(options: {
  readonly tool: WalledTool;
  /** Relative to the project. */
  readonly main: string;
  readonly job: unknown;
  readonly mounts: readonly Mount[];
  /** Programs of the host that it may start, by the path they have outside and inside. */
  readonly execute: readonly string[];
  readonly uid: number | undefined;
  readonly stallMs: number;
  /** Longer ones end it; 4 MB unless told. */
  readonly longestLine?: number;
  readonly onLine: (line: string) => void;
}): Promise<WalledExit & { readonly stalled: boolean }> {
  const { tool, job, execute, uid, onLine } = options;
  const spec = toolWall({
    tool,
    hostname: "tool",
    flags: ["--max-old-space-size=1024"],
    main: options.main,
    job,
    programs: execute.map((path) => ({ from: realpathSync(path), to: path })),
    mounts: options.mounts,
    scratch: TMP_BYTES,
  });
  const running = startTool(tool, spec, { uid });
  running.stderr?.resume();
  let stalled = false;
  const stall = (): void => {
    stalled = true;
    running.kill("SIGKILL");
  };
  let timer = setTimeout(stall, options.stallMs);
  const held: string[] = [];
  let size = 0;
  running.stdout?.setEncoding("utf8").on("data", (text: string) => {
    clearTimeout(timer);
    timer = setTimeout(stall, options.stallMs);
    const parts = text.split("\n");
    const last = parts.pop() ?? "";
    for (const part of parts) {
      onLine(held.splice(0).join("") + part);
      size = 0;
    }
    // Joined at its end only: a long line comes in very many pieces.
    held.push(last);
    size += last.length;
    if (size > (options.longestLine ?? LONGEST_LINE)) stall();
  });
  try {
    await running.walled();
    return { ...(await running.exited), stalled };
  } finally {
    clearTimeout(timer);
  }
}
