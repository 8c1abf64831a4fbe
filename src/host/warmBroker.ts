import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PROJECT } from "./ownProcess.ts";

/** The broker by the supervisor and the broker by systemd; without either, each loads all and ends. */
const MAINS = [
  "../broker/main.ts",
  "../broker/service/main.ts",
  // Between brokers by systemd.
  "../broker/bridge/main.ts",
].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** The program that reads stores for the broker (readStores.ts). */
export const STORE_MAIN = fileURLToPath(new URL("../secrets/helper/main.ts", import.meta.url));

/** The program before the bots' browsers. */
const GATE_MAIN = fileURLToPath(new URL("../services/browser/gate/main.ts", import.meta.url));

/** Where Node keeps the broker's compiled code (module.enableCompileCache). */
export function brokerCache(store: string): string {
  return join(store, "broker-cache");
}

/**
 * Fills Node's compile cache for the broker, which can't write one itself: with its code there it
 * doesn't load the TypeScript parser, and an idle broker is 16 MB smaller (measured, Node 24.21).
 * Costs two seconds of a processor where the cache isn't of this code; without it everything works the same.
 *
 * @param node of the version that runs this
 */
export async function warmBroker(node: string, store: string): Promise<void> {
  const cache = brokerCache(store);
  const stamp = join(cache, "filled-by");
  const code = codeNow();
  if (textOf(stamp) === code) return;
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  // The process that reads stores for it, too, which is started while a call waits.
  for (const main of [...MAINS, STORE_MAIN, GATE_MAIN]) {
    const child = spawn(node, [main], {
      cwd: "/",
      env: { NODE_COMPILE_CACHE: cache, PATH: "/nonexistent" },
      stdio: "ignore",
    });
    await once(child, "close").catch(() => undefined);
  }
  try {
    writeFileSync(stamp, code, { mode: 0o644 });
  } catch {
    // Then it is filled again the next time.
  }
}

/** Changes with Node and with any file that these programs may load. */
function codeNow(): string {
  const sources = join(PROJECT, "src");
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(sources, name));
  const hash = createHash("sha256").update(process.version);
  for (const file of [...files.toSorted(), join(PROJECT, "package.json")]) {
    const found = statSync(file, { throwIfNoEntry: false });
    hash.update(`\n${file} ${found?.size ?? "-"} ${found?.mtimeMs ?? "-"}`);
  }
  return hash.digest("hex");
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
