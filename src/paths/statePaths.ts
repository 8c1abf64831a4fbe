import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** Where one deployment keeps everything. Nothing outside of `root` and `store` is ever written, but see src/host/shared/sharedFiles.ts. */
export interface StatePaths {
  readonly root: string;
  /** Programs shared by all bots, by content; readable by all, writable by none of them. */
  readonly store: string;
  readonly vault: {
    readonly folder: string;
    readonly file: string;
    readonly identity: string;
    readonly lockedIdentity: string;
  };
  readonly authority: string;
  readonly phantomKey: string;
  readonly tokens: string;
  readonly bots: string;
  /** What is told to bots that have no mounts of their own, since user namespaces are conceded. */
  readonly told: string;
  readonly generations: string;
  /** Text file with the number of the generation in force. */
  readonly current: string;
  readonly users: string;
  readonly run: string;
  readonly lock: string;
  readonly logs: string;
  readonly audit: string;
  /** Signs the record. */
  readonly auditKey: string;
  /** For searching the record; made from it whenever it isn't there. Not where the broker can write. */
  readonly auditIndex: string;
}

/**
 * The state folder is `SEAWALL_STATE`, or `/var/lib/seawall` for root, or `seawall` in the user's
 * XDG state folder. The store is `SEAWALL_STORE`, or lies in the state folder for root and in the
 * XDG data folder for others.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function statePaths(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): StatePaths {
  const root =
    absolute(env["SEAWALL_STATE"]) ??
    (uid === 0 ? "/var/lib/seawall" : join(xdg(env["XDG_STATE_HOME"], ".local/state"), "seawall"));
  const store =
    absolute(env["SEAWALL_STORE"]) ??
    (uid === 0
      ? "/var/lib/seawall/store"
      : join(xdg(env["XDG_DATA_HOME"], ".local/share"), "seawall", "store"));
  const vault = join(root, "vault");
  return {
    root,
    store,
    vault: {
      folder: vault,
      file: join(vault, "vault.age"),
      identity: join(vault, "vault.key"),
      lockedIdentity: join(vault, "vault.key.age"),
    },
    authority: join(root, "authority"),
    phantomKey: join(root, "phantom.key"),
    tokens: join(root, "tokens"),
    bots: join(root, "bots"),
    told: join(root, "told"),
    generations: join(root, "generations"),
    current: join(root, "current"),
    users: join(root, "users.json"),
    run: join(root, "run"),
    lock: join(root, "lock"),
    logs: join(root, "logs"),
    audit: join(root, "audit"),
    auditKey: join(root, "audit.key"),
    auditIndex: join(root, "audit.index.sqlite"),
  };
}

function absolute(path: string | undefined): string | undefined {
  return path === undefined || path === "" ? undefined : resolve(path);
}

/** XDG variables that aren't absolute must be ignored, says the specification. */
function xdg(value: string | undefined, fallback: string): string {
  return value !== undefined && isAbsolute(value) ? value : join(homedir(), fallback);
}
