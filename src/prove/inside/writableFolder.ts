import { accessSync, constants } from "node:fs";
import type { Field } from "../Field.ts";
import type { Finding } from "../Attack.ts";
import { held } from "./findings.ts";

/** Runs an attack that needs to write, in the first folder that can be written to. */
export function inWritableFolder(
  { home }: Field,
  attack: (folder: string) => Finding | Promise<Finding>,
): Finding | Promise<Finding> {
  const folder = [home, "/tmp", "/dev/shm", "/var/tmp"].find((path) => {
    try {
      accessSync(path, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (folder === undefined) return held("read-only mount", "there is nowhere to write");
  return attack(folder);
}
