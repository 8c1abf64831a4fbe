import { expandPath, type Place } from "./expandPath.ts";
import type { Entry, FilesystemKey, Origin, Profile } from "./Profile.ts";
import { ProfileError } from "./ProfileError.ts";

/** A path that may be seen. Plain and absolute; whether it exists is for the host to say. */
export interface PathRule {
  readonly path: string;
  readonly read: boolean;
  readonly write: boolean;
  /** Named by a flag or key for single files. */
  readonly file: boolean;
  /** A folder that is made when it isn't there. */
  readonly create: boolean;
  /** A flag's path has to be there; a profile's may be missing. */
  readonly required: boolean;
  readonly origin: Origin;
}

/** An exception from the rules. */
export interface Exception {
  readonly path: string;
  readonly access: "hidden" | "read-only";
  /** Whether a name that isn't there may still be made, since keeping it would seal its folder. */
  readonly absent: "seal" | "leave";
  readonly origin: Origin;
}

/** A profile told for one user and one working folder: what is to be enforced, not yet how. */
export interface Policy {
  readonly paths: readonly PathRule[];
  readonly exceptions: readonly Exception[];
  /** Paths whose protection by default is lifted. */
  readonly lifted: readonly string[];
  /** Paths that nobody wants to hear of. */
  readonly silent: readonly string[];
  readonly libraries: readonly { readonly path: string; readonly origin: Origin }[];
  readonly commands: Profile["exec"]["allow"];
  readonly network: Profile["network"];
  readonly environmentCredentials: Profile["environmentCredentials"];
  readonly environment: Profile["environment"];
  readonly limits: Profile["limits"];
  readonly concessions: Profile["concessions"];
}

const RIGHTS: Readonly<
  Partial<
    Record<FilesystemKey, { read: boolean; write: boolean; file?: boolean; create?: boolean }>
  >
> = {
  allow: { read: true, write: true },
  read: { read: true, write: false },
  write: { read: false, write: true },
  allow_file: { read: true, write: true, file: true },
  read_file: { read: true, write: false, file: true },
  write_file: { read: false, write: true, file: true },
  create: { read: true, write: true, create: true },
};

/**
 * Tells a profile's paths for one user and working folder. Pure.
 *
 * @throws ProfileError `bad-path` for a path with a variable nobody knows, or the root
 */
export function makePolicy(profile: Profile, place: Place): Policy {
  const told = (entry: Entry<string>): string => {
    const path = expandPath(entry.value, place);
    if (path !== undefined && path !== "/") return path;
    throw new ProfileError(
      "bad-path",
      path === "/" ? "the whole file system can't be granted" : "a path has an unknown variable",
      {
        where: describeOrigin(entry.origin),
        hint:
          path === "/"
            ? "name the folders that are needed"
            : "known are ~, $HOME, $WORKDIR, $UID, $TMPDIR and the XDG folders",
      },
    );
  };
  const { filesystem } = profile;
  const paths = Object.entries(RIGHTS).flatMap(([key, rights]) =>
    filesystem[key as FilesystemKey].map((entry): PathRule => ({
      file: false,
      create: false,
      ...rights,
      path: told(entry),
      required: entry.origin.kind === "flag",
      origin: entry.origin,
    })),
  );
  const work = workdirRule(profile, place);
  if (work?.path === "/") {
    throw new ProfileError("bad-path", "the working folder is the whole file system", {
      where: describeOrigin(work.origin),
      hint: "name another one with --workdir",
    });
  }
  const rules = work === undefined ? paths : [...paths, work];
  const exceptions: readonly Exception[] = [
    ...filesystem.deny.map((entry): Exception => ({
      path: told(entry),
      access: "hidden",
      absent: "seal",
      origin: entry.origin,
    })),
    ...filesystem.protect.map((entry): Exception => ({
      path: told(entry),
      access: "read-only",
      absent: "seal",
      origin: entry.origin,
    })),
  ];
  return {
    paths: rules,
    exceptions,
    lifted: filesystem.bypass_protection.map(told),
    silent: filesystem.suppress_save_prompt.map(told),
    libraries: profile.exec.libraries.map((entry) => ({ path: told(entry), origin: entry.origin })),
    commands: profile.exec.allow,
    network: profile.network,
    environmentCredentials: profile.environmentCredentials,
    environment: profile.environment,
    limits: profile.limits,
    concessions: profile.concessions,
  };
}

function workdirRule({ workdir }: Profile, place: Place): PathRule | undefined {
  if (workdir === undefined || workdir.value === "none") return undefined;
  const { value, origin } = workdir;
  // A whole home is more than anybody means by the folder they happen to be in.
  if (origin.kind === "profile" && isAtOrAbove(place.workdir, place.home)) return undefined;
  return {
    path: place.workdir,
    read: value !== "write",
    write: value !== "read",
    file: false,
    create: false,
    required: false,
    origin,
  };
}

/** Whether `path` is a place below `folder`, and not the folder itself. */
export function isBelow(path: string, folder: string): boolean {
  return path !== folder && path.startsWith(folder === "/" ? folder : `${folder}/`);
}

function isAtOrAbove(folder: string, path: string): boolean {
  return folder === path || isBelow(path, folder);
}

/** Where a rule stands, in words; `describePlace` has the line too. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "profile":
      return `${origin.file ?? `built-in profile ${origin.profile}`} (${formatPath(origin.path)})`;
    case "declaration":
      return `${origin.file} (${formatPath(origin.path)})`;
    case "flag":
      return `flag ${origin.flag}`;
    case "always":
      return origin.what;
    default:
      return origin satisfies never;
  }
}

export function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((step, index) =>
      typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${step}`,
    )
    .join("");
}
