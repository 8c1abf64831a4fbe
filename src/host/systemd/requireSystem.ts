import { existsSync } from "node:fs";
import { HostError } from "../HostError.ts";
import { run } from "./run.ts";

/**
 * That this may change the machine's services, and that systemd runs them.
 *
 * @returns systemd's version.
 * @throws HostError `not-root`, `no-systemd`
 */
export async function requireSystem(): Promise<number> {
  if (process.getuid?.() !== 0) {
    throw new HostError("not-root", "only root can change this machine's services", {
      hint: "type it behind sudo, or run the bots as yourself with: seawall up",
    });
  }
  if (!existsSync("/run/systemd/system")) {
    throw new HostError("no-systemd", "this machine isn't run by systemd", {
      hint: "run the bots without it, with: seawall up",
    });
  }
  const { stdout } = await run("systemctl", ["--version"]);
  return readVersion(stdout);
}

/** @param text as `systemd 252 (252.38-1~deb12u1)`. @throws HostError `no-systemd` */
export function readVersion(text: string): number {
  const version = /^systemd (\d+)/m.exec(text)?.[1];
  if (version !== undefined) return Number(version);
  throw new HostError("no-systemd", "systemd doesn't tell its version", {
    hint: "look at: systemctl --version",
  });
}

/** The first of `places` that is there. @throws HostError `no-systemd` */
export function findProgram(places: readonly [string, ...string[]]): string {
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new HostError("no-systemd", `"${places[0]}" is not on this machine`, {
    hint: "install systemd and iproute2 from your system's packages",
  });
}
