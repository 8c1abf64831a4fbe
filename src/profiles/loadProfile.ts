import { findBuiltIn, findProfile } from "./findProfile.ts";
import { mergeProfiles } from "./mergeProfiles.ts";
import type { Profile } from "./Profile.ts";
import { ProfileError } from "./ProfileError.ts";

/** A profile with all it builds on merged in. */
export interface LoadedProfile {
  readonly profile: Profile;
  /** Everything that was merged, the one asked for last. */
  readonly chain: readonly Profile[];
}

/**
 * Reads a profile and those it extends. In a file, its own name means the built-in profile of that
 * name, so that one can be changed without being written anew.
 *
 * @throws ProfileError `profile-loop` and those of `findProfile`; DeclarationError
 */
export async function loadProfile(name: string, folder: string): Promise<LoadedProfile> {
  const chain: Profile[] = [];
  const profile = await load(await findProfile(name, folder), folder, [], chain);
  return { profile, chain };
}

async function load(
  own: Profile,
  folder: string,
  above: readonly Profile[],
  chain: Profile[],
): Promise<Profile> {
  const path = [...above, own];
  let merged: Profile | undefined;
  for (const { value: name } of own.extends) {
    const base =
      name === own.name && own.source.kind === "file"
        ? findBuiltIn(name)
        : await findProfile(name, folder);
    if (base === undefined) {
      throw new ProfileError("no-profile", `there is no built-in profile "${name}" to extend`, {
        ...whereOf(own),
        hint: "see: seawall profile list",
      });
    }
    if (path.some((each) => same(each, base))) {
      const names = [...path, base].map((each) => each.name).join(" -> ");
      throw new ProfileError("profile-loop", `profiles extend each other in a circle: ${names}`, {
        ...whereOf(own),
        hint: "take one of them out of extends",
      });
    }
    const loaded = await load(base, folder, path, chain);
    merged = merged === undefined ? loaded : mergeProfiles(merged, loaded);
  }
  if (!chain.some((each) => same(each, own))) chain.push(own);
  return merged === undefined ? own : mergeProfiles(merged, own);
}

function same(one: Profile, other: Profile): boolean {
  const file = (profile: Profile): string =>
    profile.source.kind === "file" ? profile.source.file : "";
  return one.name === other.name && file(one) === file(other);
}

function whereOf(profile: Profile): { readonly where: string } {
  const { source } = profile;
  return { where: source.kind === "file" ? source.file : `built-in profile ${profile.name}` };
}
