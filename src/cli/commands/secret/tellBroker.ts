import { askSupervisor, HostError } from "../../../host/index.ts";
import type { Call } from "../../Command.ts";

/** Has a running broker read its secrets anew; whether there is one. */
export async function tellBroker({ paths }: Call): Promise<boolean> {
  try {
    await askSupervisor(paths, { verb: "refresh-secrets" });
    return true;
  } catch (error) {
    if (error instanceof HostError && error.code === "not-running") return false;
    throw error;
  }
}
