import type { SecretSource } from "../plan/index.ts";
import { secretFromStore } from "./checkSecret.ts";
import { runForSecret } from "./runForSecret.ts";
import type { SecretStore } from "./SecretStore.ts";

/** What a program prints: `op read`, `pass show`, `bw get`, `vault kv get`. */
export function commandStore(
  limitMs?: number,
): SecretStore<Extract<SecretSource, { store: "exec" }>> {
  return {
    read: async ({ command }) => {
      const bytes = await runForSecret(command, limitMs === undefined ? {} : { limitMs });
      return secretFromStore(bytes, `what "${command[0] ?? ""}" prints`);
    },
  };
}
