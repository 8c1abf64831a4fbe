import type { SecretSource } from "../plan/index.ts";
import type { SecretValue } from "./SecretValue.ts";

/** What every store can do for the broker: hand out one value at a time. */
export interface SecretStore<Source extends SecretSource = SecretSource> {
  /** @throws SecretError `missing` when there is no such secret; `locked`, `damaged` or `unreadable` when the store can't be used. */
  read(source: Source): Promise<SecretValue>;
}
