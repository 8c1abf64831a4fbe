import type { SecretValue } from "../../../secrets/index.ts";

/** All that `seawall init` was told, by flags or in a dialogue: the same answers make the same file. */
export interface Answers {
  readonly bot: string;
  /** As `anthropic/claude-sonnet-4-6`. */
  readonly model: string;
  /** The model's service first, then channels, then the others. */
  readonly grants: readonly AnsweredGrant[];
  /** Where it is reached from outside; empty if it isn't. */
  readonly domain: string;
  readonly secrets: readonly AnsweredSecret[];
}

export interface AnsweredGrant {
  readonly service: string;
  /** What stands in the grant beside its secret: `url`, `allowFrom` and the like. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AnsweredSecret {
  /** The service that it is for has the same name. */
  readonly name: string;
  /** What stands for it under `secrets`. */
  readonly declared: Readonly<Record<string, unknown>>;
  /** What is to be stored; absent where the store has it already or is another program's. */
  readonly value?: SecretValue;
}
