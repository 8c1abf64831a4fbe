import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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
 * Costs a tenth of a second; without it everything works the same.
 */
export async function warmBroker(node: string, store: string): Promise<void> {
  const cache = brokerCache(store);
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
}
