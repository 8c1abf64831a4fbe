import { node } from "./node.ts";
import { openclaw } from "./openclaw.ts";
import { openclawStrict } from "./openclawStrict.ts";
import { python } from "./python.ts";
import { shell } from "./shell.ts";

/** The profiles that Seawall brings along, in the form of the user's own. */
export const builtInProfiles: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["node", node],
  ["openclaw", openclaw],
  ["openclaw-strict", openclawStrict],
  ["python", python],
  ["shell", shell],
]);
