import { mkdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../../../faults/index.ts";
import { fetchNewer, writeOffer } from "../../../openclaw/index.ts";
import { FETCH_VARIABLES } from "./updateInput.ts";

/**
 * The program of seawall-fetch.service: looks for a newer OpenClaw and leaves it in its own folder. It
 * runs with no rights, no secret and the registry's answers, so nothing it leaves is trusted.
 */
const env = process.env;
const folder = env["STATE_DIRECTORY"] ?? "/nonexistent";
const temporary = join(folder, "tmp");
try {
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  const offer = await fetchNewer({
    have: env[FETCH_VARIABLES.have] ?? "",
    from: env[FETCH_VARIABLES.from] === "registry" ? "registry" : "pins",
    days: Number(env[FETCH_VARIABLES.days] ?? "7"),
    folder,
    now: Date.now(),
    onProgress: (text) => writeSync(1, `${text}\n`),
  });
  writeOffer(folder, offer);
} catch (error) {
  const known = error instanceof SeawallError ? error : undefined;
  const failed = known?.message ?? "the fetch failed for a reason it doesn't know";
  const { hint } = known ?? {};
  writeOffer(folder, { failed, ...(hint === undefined ? {} : { hint }) });
  writeSync(2, `error: ${failed}\n${known === undefined ? String(error) : (hint ?? "")}\n`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
