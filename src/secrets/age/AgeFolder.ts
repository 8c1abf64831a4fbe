import { SecretError } from "../SecretError.ts";
import type { WritableStore } from "../WritableStore.ts";
import type { WritableLocation } from "../openWritableStore.ts";

type Location = Extract<WritableLocation, { store: "age" }>;

export class AgeFolder {
  static async open(location: Location): Promise<WritableStore> {
    throw new SecretError("unsupported", `can't open "${location.folder}"`);
  }
}
