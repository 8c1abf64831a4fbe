import { join } from "node:path";
import type { StatePaths } from "../../paths/index.ts";
import { isFromNixos } from "./SystemGeneration.ts";
import { systemPaths } from "./systemPaths.ts";
import { hasSystemDeployment } from "./systemStatus.ts";

/** By which a declaration comes into force here, for hints. */
export function applyCommand(paths: StatePaths): string {
  if (!isRoot()) return "seawall up";
  if (isFromNixos(systemPaths(paths))) return "nixos-rebuild switch";
  return hasSystemDeployment(paths) ? "seawall switch" : "seawall up";
}

/**
 * Where NixOS put what it has in force, which no other file is to be taken for: the folder that a command is
 * typed in may be that of the machine's flake, with a declaration that it was made from. `undefined` elsewhere.
 */
export function nixosDeclaration(paths: StatePaths): string | undefined {
  const places = systemPaths(paths);
  return isRoot() && isFromNixos(places) ? join(places.root, "seawall.json5") : undefined;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
