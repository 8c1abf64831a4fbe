import { existsSync, mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { writeFileAtomic } from "../../files/index.ts";
import {
  findBuiltIn,
  profileFolder,
  profileText,
  PROFILE_NAME,
  ProfileError,
} from "../../profiles/index.ts";
import type { RunRequest } from "../../run/index.ts";
import { UsageError } from "../UsageError.ts";

/**
 * Keeps the flags of a call as a profile of the user's own, on top of the one that was named.
 *
 * @throws UsageError for a name that can't be one; ProfileError `profile-exists`
 */
export async function saveProfile(name: string, request: RunRequest): Promise<void> {
  if (!PROFILE_NAME.test(name))
    throw new UsageError(
      "--save-profile takes a name of letters, digits, - and _",
      "type: seawall run --help",
    );
  const folder = profileFolder(process.env);
  const file = join(folder, `${name}.json`);
  if (existsSync(file)) {
    throw new ProfileError("profile-exists", `profile "${name}" is there already`, {
      where: file,
      hint: "choose another name, or remove it first",
    });
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileAtomic(file, profileText(name, request), 0o600);
  const hides = findBuiltIn(name) === undefined ? "" : `, which hides the built-in "${name}"`;
  process.stderr.write(`seawall: saved as ${relative(process.cwd(), file)}${hides}\n`);
}
