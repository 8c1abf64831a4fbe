import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ProveError } from "./ProveError.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const BUILT = fileURLToPath(new URL("../../build/attack.node", import.meta.url));

/** Path of the addon with raw system calls. @throws ProveError `not-built` */
export function attackAddon(): string {
  if (existsSync(BUILT)) return BUILT;
  throw new ProveError("not-built", "the attacks' system calls aren't built", {
    hint: "type: ./dev setup",
  });
}

/** What an attacker brings along: the attacks as they are here, for Node to run unbuilt. */
export interface Bundle {
  /** The runner, below the bundle's folder. */
  readonly main: string;
  readonly addon: string;
  readonly job: string;
}

/** Puts the attacks, the runner and the addon into `folder`, readable by everybody. */
export function makeBundle(folder: string): Bundle {
  mkdirSync(folder, { recursive: true });
  for (const part of ["attacks", "inside"])
    cpSync(join(HERE, part), join(folder, part), {
      recursive: true,
      filter: (path) => !path.endsWith(".test.ts"),
    });
  // Without it Node reads each file twice to see what kind of module it is.
  writeFileSync(join(folder, "package.json"), '{"type":"module"}\n');
  const addon = join(folder, "attack.node");
  copyFileSync(attackAddon(), addon);
  chmodSync(addon, 0o555);
  return { main: join(folder, "inside", "main.ts"), addon, job: join(folder, "job.json") };
}
