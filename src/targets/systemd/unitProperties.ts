import type { WallSpec } from "../../wall/index.ts";
import type { TargetFile } from "../Target.ts";
import { knownDirectives } from "./directives.ts";
import { HARDENING, LAUNCHER_CALLS } from "./hardening.ts";
import { protectHome, unitMounts } from "./mounts.ts";
import type { SystemdSystem } from "./SystemdInput.ts";
import { plainWord, type Directives } from "./unitFile.ts";

/**
 * A wall without a network as properties of a service for systemd-run(1), with a user of its own
 * that is gone afterwards.
 */
export function unitProperties(
  spec: WallSpec,
  { paths, programs, version }: SystemdSystem,
): { readonly properties: Directives; readonly files: readonly TargetFile[] } {
  const { directives, files } = unitMounts(spec, "check", paths);
  const properties: Directives = [
    ["DynamicUser", "yes"],
    ["PrivateNetwork", "yes"],
    ...HARDENING,
    ...protectHome(spec, [programs.launcher]),
    ...LAUNCHER_CALLS,
    ["RuntimeMaxSec", "120"],
    ...directives,
    ["BindReadOnlyPaths", plainWord(programs.launcher)],
    ["ExecPaths", `+${plainWord(programs.launcher)}`],
  ];
  return { properties: knownDirectives(properties, version), files };
}
