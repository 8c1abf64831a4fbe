import { BROWSER_LIMITS, browserWall, findChromium } from "../../src/services/index.ts";
import type { Brought } from "./Machine.ts";

/** This host's Chromium, with the libraries and fonts it uses, for a machine of the same distribution; nothing without one. */
export function machineChromium(): Brought[] {
  const chromium = findChromium();
  if (chromium === undefined) return [];
  const { mounts } = browserWall({
    node: process.execPath,
    chromium,
    program: "/nonexistent",
    limits: BROWSER_LIMITS,
  });
  return mounts.flatMap((mount) =>
    mount.kind === "read" && mount.from !== "/nonexistent" && mount.from !== process.execPath
      ? [{ from: mount.from, to: mount.to }]
      : [],
  );
}
