import { isAbsolute, normalize, resolve } from "node:path";

/** What paths are told against. */
export interface Place {
  readonly home: string;
  readonly workdir: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * An absolute, plain path: `~` and variables put in, `.` and `..` taken out. `relative` paths are
 * told from the working folder. Undefined when it can't be one: an unknown variable, no absolute
 * path, the root itself.
 */
export function expandPath(path: string, place: Place): string | undefined {
  const tilde = path === "~" || path.startsWith("~/") ? `${place.home}${path.slice(1)}` : path;
  let unknown = false;
  const text = tilde.replaceAll(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_all, braced?: string, bare?: string) => {
      const value = variable(braced ?? bare ?? "", place);
      if (value === undefined) unknown = true;
      return value ?? "";
    },
  );
  if (unknown || text.includes("\0")) return undefined;
  const absolute = isAbsolute(text) ? normalize(text) : resolve(place.workdir, text);
  const plain = absolute.length > 1 ? absolute.replace(/\/+$/, "") : absolute;
  return plain === "" ? "/" : plain;
}

/** The variables that nono's profiles know, and the rest of the XDG folders. */
function variable(name: string, { home, workdir, uid, env }: Place): string | undefined {
  const xdg = (fallback: string): string => {
    const value = env[name];
    return value !== undefined && isAbsolute(value) ? value : `${home}/${fallback}`;
  };
  switch (name) {
    case "HOME":
      return home;
    case "WORKDIR":
    case "PWD":
      return workdir;
    case "UID":
      return String(uid);
    case "XDG_CONFIG_HOME":
      return xdg(".config");
    case "XDG_DATA_HOME":
      return xdg(".local/share");
    case "XDG_STATE_HOME":
      return xdg(".local/state");
    case "XDG_CACHE_HOME":
      return xdg(".cache");
    // Inside, it is memory of the command's own.
    case "TMPDIR":
      return "/tmp";
    default:
      return undefined;
  }
}
