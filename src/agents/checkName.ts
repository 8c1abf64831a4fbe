import { AgentError } from "./AgentError.ts";

/** Names that OpenClaw or Seawall gives another meaning. */
const TAKEN = new Set(["main", "default", "defaults", "seawall", "global"]);

/**
 * An agent's name is also a folder's, a repository's and a channel's: what all of them take.
 *
 * @throws AgentError `bad-name`
 */
export function checkName(name: string): void {
  if (/^[a-z](?:-?[a-z0-9]){1,31}$/.test(name) && !TAKEN.has(name)) return;
  const reason = TAKEN.has(name) ? "is taken" : "can't be used";
  const shown = /^[\w-]{1,40}$/.test(name) ? `the name "${name}"` : "this name";
  throw new AgentError("bad-name", `${shown} ${reason} for an agent`, {
    hint: "use 2 to 32 lower-case letters, digits and single hyphens, beginning with a letter",
  });
}
