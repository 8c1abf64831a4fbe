import { rmdirSync, rmSync } from "node:fs";
import { FETCH_FOLDER } from "../../targets/index.ts";
import { HostError } from "../HostError.ts";
import type { StatePaths } from "../../paths/index.ts";
import { readUsers } from "./checkForeign.ts";
import { ourUnits, removeLinks } from "./links.ts";
import { requireSystem } from "./requireSystem.ts";
import { run } from "./run.ts";
import { locked } from "./switchSystem.ts";
import { reloadManager, resetUnits, stopUnits } from "./systemctl.ts";
import { systemPaths } from "./systemPaths.ts";

/**
 * Takes back all that switches made: units, users, generations, sockets and, unless `keepData`, the
 * bots' folders and records. The vault, the declaration and downloaded programs are the owner's.
 */
export async function uninstallSystem(
  paths: StatePaths,
  {
    keepData,
    onProgress,
  }: { readonly keepData: boolean; readonly onProgress: (text: string) => void },
): Promise<void> {
  await requireSystem();
  const places = systemPaths(paths);
  await locked(places, async () => {
    const units = ourUnits(places);
    onProgress("stopping every bot");
    await stopUnits(units);
    removeLinks(places, []);
    await reloadManager();
    await resetUnits(units);
    for (const file of [places.current, places.pending]) rmSync(file, { force: true });
    for (const folder of [places.generations, places.runtime]) {
      rmSync(folder, { recursive: true, force: true });
    }
    if (keepData) return;
    onProgress("removing users and folders");
    rmSync(places.state, { recursive: true, force: true });
    // What services with a user of their own for each run left there (systemd.exec(5), StateDirectory=).
    for (const name of [FETCH_FOLDER, "seawall-web"]) {
      for (const folder of ["/var/lib", "/var/lib/private", "/var/log", "/var/log/private"])
        rmSync(`${folder}/${name}`, { recursive: true, force: true });
    }
    rmSync("/var/lib/systemd/timers/stamp-seawall-update.timer", { force: true });
    for (const { name, comment } of readUsers()) {
      // Ours by name and by what sysusers.d was told; nobody else's has both.
      if (!/^seawall[-_]/.test(name) || !comment.startsWith("Seawall ")) continue;
      const { code, stderr } = await run("userdel", [name]);
      if (code === 0) continue;
      throw new HostError("system-command", `user "${name}" can't be removed: ${stderr.trim()}`, {
        hint: `type: userdel ${name}`,
      });
    }
  });
  rmSync(places.lock, { force: true });
  try {
    rmdirSync(places.root);
  } catch {
    // The declaration is in it.
  }
}
