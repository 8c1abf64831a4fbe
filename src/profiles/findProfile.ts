import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import { builtInProfiles } from "./builtin/index.ts";
import { checkProfile, type ProfileFault } from "./checkProfile.ts";
import type { Profile } from "./Profile.ts";
import { ProfileError } from "./ProfileError.ts";
import { PROFILE_NAME } from "./words.ts";

const LARGEST_BYTES = 1024 * 1024;
const ENDINGS = [".json", ".jsonc", ".json5"] as const;

/** Where a user's own profiles are: `seawall/profiles` in the XDG configuration folder. */
export function profileFolder(env: Readonly<Record<string, string | undefined>>): string {
  const config = env["XDG_CONFIG_HOME"];
  const root =
    config !== undefined && isAbsolute(config) ? config : join(env["HOME"] ?? "/", ".config");
  return join(root, "seawall", "profiles");
}

/**
 * Reads one profile, without those it extends: a file by its path, else the user's own of that
 * name, else the built-in one.
 *
 * @throws ProfileError; DeclarationError with every fault inside the file and its position
 */
export async function findProfile(name: string, folder: string): Promise<Profile> {
  if (isPath(name))
    return await readProfileFile(resolve(name), basename(name).replace(/\.\w+$/, ""));
  if (!PROFILE_NAME.test(name)) {
    throw new ProfileError("profile-name", `"${name.slice(0, 64)}" can't be a profile's name`, {
      hint: "use letters, digits, - and _; a file is named with a / in it",
    });
  }
  const file = ownFile(name, folder);
  if (file !== undefined) return await readProfileFile(file, name);
  const builtIn = findBuiltIn(name);
  if (builtIn !== undefined) return builtIn;
  throw new ProfileError("no-profile", `there is no profile "${name}"`, {
    hint: `see: seawall profile list; your own are in ${folder}`,
  });
}

export function findBuiltIn(name: string): Profile | undefined {
  if (!builtInProfiles.has(name)) return undefined;
  const { profile, faults } = checkProfile(builtInProfiles.get(name), {
    name,
    source: { kind: "built-in" },
  });
  if (faults.length > 0) throw new Error(`built-in profile ${name}: ${JSON.stringify(faults)}`);
  return profile;
}

/** Names of the user's own profiles, sorted. Files that can't be profiles by their name are left out. */
export function ownProfiles(folder: string): string[] {
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    // There are none, or nobody may look: the same to whoever wants a list.
  }
  const found = names.flatMap((name) => {
    const ending = ENDINGS.find((each) => name.endsWith(each));
    const bare = ending === undefined ? "" : name.slice(0, -ending.length);
    return PROFILE_NAME.test(bare) ? [bare] : [];
  });
  return [...new Set(found)].toSorted();
}

function isPath(name: string): boolean {
  return name.includes("/");
}

function ownFile(name: string, folder: string): string | undefined {
  const found = ENDINGS.map((ending) => join(folder, `${name}${ending}`)).filter(
    (file) => lstatSync(file, { throwIfNoEntry: false }) !== undefined,
  );
  if (found.length > 1) {
    throw new ProfileError("profile-twice", `profile "${name}" is there twice`, {
      where: found.join(" and "),
      hint: "remove or rename one of them",
    });
  }
  return found[0];
}

/** Reads and checks a file. Positions are looked up only when something is wrong. */
export async function readProfileFile(file: string, name: string): Promise<Profile> {
  const text = readText(file);
  const identity = { name, source: { kind: "file", file } as const };
  const plain = parsePlain(text);
  if (plain !== undefined) {
    const { profile, faults } = checkProfile(plain.value, identity);
    if (faults.length === 0) return profile;
  }
  // Comments, or something to complain of: the slow reader knows where.
  const { DeclarationError, locateFaults, readDeclaration } =
    await import("../declaration/index.ts");
  const document = readDeclaration(text);
  const refuse = (
    faults: Parameters<typeof locateFaults>[0],
  ): InstanceType<typeof DeclarationError> =>
    new DeclarationError(locateFaults(faults, file, document.positions));
  if (document.value === undefined) throw refuse(document.faults);
  const { profile, faults } = checkProfile(document.value, identity);
  const all = [...document.faults, ...faults.map(plainFault)];
  if (all.length > 0) throw refuse(all);
  return profile;
}

function plainFault(fault: ProfileFault): ProfileFault {
  return fault;
}

function parsePlain(text: string): { readonly value: unknown } | undefined {
  try {
    // A key given twice is legal JSON, and the first one would be lost without a word.
    let keys = 0;
    const value: unknown = JSON.parse(text, (_key, each: unknown) => {
      if (typeof each === "object" && each !== null && !Array.isArray(each))
        keys += Object.keys(each).length;
      return each;
    });
    const colons = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "").split(":").length - 1;
    return keys === colons ? { value } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A profile decides about the wall, so nobody else may have written it.
 *
 * @throws ProfileError
 */
function readText(file: string): string {
  try {
    const { size, mode, uid } = statSync(file);
    const own = uid === process.getuid?.() || uid === 0;
    if (!statSync(file).isFile() || size > LARGEST_BYTES) {
      throw new ProfileError("unreadable-profile", "this is not a profile", {
        where: file,
        hint: "name a JSON file of at most 1 MB",
      });
    }
    if (!own || (mode & 0o022) !== 0) {
      throw new ProfileError("unsafe-profile", "a profile can be written by others", {
        where: file,
        hint: own ? `type: chmod go-w ${file}` : "copy it, read it, and use the copy",
      });
    }
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof ProfileError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new ProfileError(
      missing ? "no-profile" : "unreadable-profile",
      missing ? "there is no such profile" : "a profile can't be read",
      { where: file, hint: "look at its name and permissions", cause: error },
    );
  }
}
