import type { Plan } from "../../plan/index.ts";
import { HostError } from "../HostError.ts";

/** @throws HostError `cannot-serve` for a machine that is to move by itself and gets its files from elsewhere, as NixOS. */
export function refuseAutoUpdate({ autoUpdate }: Plan): void {
  if (autoUpdate === undefined) return;
  throw new HostError(
    "cannot-serve",
    "autoUpdate moves a machine that keeps its own generations; this one gets its files from elsewhere",
    { hint: "leave it out, and build again for a newer OpenClaw" },
  );
}
