import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { asStoreError, makeStore, syncToDisk } from "./ensureOpenClaw.ts";
import { satisfiesNodeRange } from "./nodeRange.ts";
import { OpenClawError } from "./OpenClawError.ts";
import { removeTree } from "./removeTree.ts";
import { replaceTree } from "./replaceTree.ts";
import { withStoreLock } from "./withStoreLock.ts";

/** A copy of Node that the bots' own users can reach. */
export interface InstalledNode {
  /** As `24.21.0`. */
  readonly version: string;
  /** `<store>/node-<version>-<hash prefix>`, which holds `bin/node` and nothing else. */
  readonly root: string;
  /** The program. */
  readonly entry: string;
  /** Of the program, hexadecimal. */
  readonly sha256: string;
}

/**
 * Copies a Node binary into the store, because the folder it lies in may be one that a bot's user
 * can't traverse. Both copies are hashed every time (0.1 s for 120 MB), and a copy that differs is
 * replaced.
 *
 * @param range `engines.node` of the pinned OpenClaw.
 * @throws OpenClawError `node-unsupported`, `disk-full` or `store`.
 */
export async function ensureNode(
  binary: string,
  store: string,
  range?: string,
): Promise<InstalledNode> {
  return await asStoreError(store, async () => {
    makeStore(store);
    const version = await nodeVersion(binary);
    if (range !== undefined && !satisfiesNodeRange(version, range)) {
      throw new OpenClawError("node-unsupported", `OpenClaw doesn't run with Node ${version}`, {
        where: binary,
        hint: `it needs Node ${range}`,
      });
    }
    const sha256 = await fileHash(binary);
    const root = join(resolve(store), `node-${version}-${sha256.slice(0, 16)}`);
    const entry = join(root, "bin", "node");
    const installed: InstalledNode = { version, root, entry, sha256 };
    if (await isCopy(entry, sha256)) return installed;
    await withStoreLock(
      store,
      () => undefined,
      async () => {
        if (await isCopy(entry, sha256)) return;
        const temporary = mkdtempSync(join(store, ".unfinished-"));
        try {
          const tree = join(temporary, "node");
          mkdirSync(join(tree, "bin"), { recursive: true });
          copyFileSync(binary, join(tree, "bin", "node"));
          await syncToDisk(join(tree, "bin", "node"));
          if ((await fileHash(join(tree, "bin", "node"))) !== sha256) {
            throw new OpenClawError("store", "Node changed while it was copied", {
              where: binary,
              hint: "try again",
            });
          }
          chmodSync(join(tree, "bin", "node"), 0o555);
          chmodSync(join(tree, "bin"), 0o555);
          replaceTree(tree, root, join(temporary, "replaced"));
        } finally {
          removeTree(temporary);
        }
      },
    );
    return installed;
  });
}

async function nodeVersion(binary: string): Promise<string> {
  if (binary === process.execPath) return process.versions.node;
  try {
    const { stdout } = await promisify(execFile)(binary, ["--version"], { env: {} });
    const version = /^v(\d+\.\d+\.\d+)\s*$/.exec(stdout)?.[1];
    if (version !== undefined) return version;
  } catch (cause) {
    throw new OpenClawError("node-unsupported", "Node can't be started", { where: binary, cause });
  }
  throw new OpenClawError("node-unsupported", "this is not a released Node", { where: binary });
}

async function isCopy(file: string, sha256: string): Promise<boolean> {
  return existsSync(file) && (await fileHash(file)) === sha256;
}

async function fileHash(file: string): Promise<string> {
  const hash = createHash("sha256");
  const chunks: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: 1 << 20 });
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
