import type { SecretSource } from "../plan/index.ts";
import type { SecretValue } from "./SecretValue.ts";

/** What every store can do: hand out one value at a time. */
export interface SecretStore<Source extends SecretSource = SecretSource> {
  /**
   * @throws SecretError `missing` when there is no such secret; another code when the store can't be
   * used. Nothing of a value is in it.
   */
  read(source: Source): Promise<SecretValue>;
  /** What `read` would give at once; `undefined` where it would look first whether something has changed. */
  peek?(source: Source): SecretValue | undefined;
}
