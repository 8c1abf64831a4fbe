import { checkProfile } from "./checkProfile.ts";
import type { Profile } from "./Profile.ts";

/** A profile that says nothing: what a command gets without one. */
export function emptyProfile(name: string): Profile {
  return checkProfile({}, { name, source: { kind: "built-in" } }).profile;
}
