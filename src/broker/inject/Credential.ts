import type { SecretValue } from "../../secrets/index.ts";
import type { AwsKey } from "./fetchAwsKey.ts";

/** What a call goes out with. */
export interface Credential {
  readonly secret: SecretValue;
  /** What else must not come back in a reply: tokens of before, what tokens are made from. */
  readonly others: readonly SecretValue[];
  /** For calls that are signed; `secret` is its secret half. */
  readonly aws?: AwsKey;
}
