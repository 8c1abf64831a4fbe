import type { SecretSource } from "../plan/index.ts";
import { secretFromStore } from "./checkSecret.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretStore } from "./SecretStore.ts";

/** The environment of the process that asks, which is the broker's. */
export function environmentStore(
  environment: Readonly<Record<string, string | undefined>>,
): SecretStore<Extract<SecretSource, { store: "env" }>> {
  return {
    read: async ({ variable }) => {
      const value = environment[variable];
      if (value !== undefined) return secretFromStore(Buffer.from(value), `variable ${variable}`);
      throw new SecretError("missing", `the environment has no ${variable}`, {
        hint: `export it, then: seawall down; seawall up`,
      });
    },
  };
}
