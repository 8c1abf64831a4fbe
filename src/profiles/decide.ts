import { isBelow } from "./makePolicy.ts";
import type { Origin } from "./Profile.ts";

/** All that one wall shows, lets run and reaches, each with the rule that says so. */
export interface Rulebook {
  readonly places: readonly {
    readonly path: string;
    readonly read: boolean;
    readonly write: boolean;
    readonly origin: Origin;
  }[];
  readonly exceptions: readonly {
    readonly path: string;
    readonly access: "hidden" | "read-only";
    readonly absent: "seal" | "leave";
    readonly origin: Origin;
  }[];
  readonly programs: readonly {
    readonly path: string;
    readonly real: string;
    readonly origin: Origin;
  }[];
  readonly hosts: readonly {
    readonly name: string;
    readonly port: number;
    /** `passed through`, or what is done with calls. */
    readonly how: string;
    readonly origin: Origin;
  }[];
  readonly deniedHosts: readonly { readonly name: string; readonly origin: Origin }[];
  /** Says that there is no network at all. */
  readonly blocked?: Origin;
}

/** What comes of one thing that is tried inside. */
export interface Verdict {
  readonly allowed: boolean;
  /** The rule that decides; absent when nothing allows it. */
  readonly origin?: Origin;
  /** In words, without the place of the rule. */
  readonly reason: string;
  /** What would change it, for a command of `seawall run`. */
  readonly flag?: string;
}

/** Whether `path` (plain and absolute, links followed) may be read or written. */
export function decideFile(book: Rulebook, act: "read" | "write", path: string): Verdict {
  const exception = book.exceptions
    .filter((each) => each.path === path || isBelow(path, each.path))
    .toSorted((a, b) => b.path.length - a.path.length)
    .find((each) => each.access === "hidden" || act === "write");
  const place = book.places
    .filter((each) => each.path === path || isBelow(path, each.path))
    .toSorted((a, b) => b.path.length - a.path.length)
    .find((each) => (act === "read" ? each.read : each.write));
  const inner =
    place !== undefined && exception !== undefined && isBelow(place.path, exception.path);
  if (exception !== undefined && !inner) {
    return {
      allowed: false,
      origin: exception.origin,
      reason:
        exception.access === "hidden"
          ? `"${exception.path}" is kept out of sight`
          : `"${exception.path}" can be read but not changed`,
      ...(exception.origin.kind === "always" ? { flag: flagFor(act, exception.path) } : {}),
    };
  }
  if (place !== undefined)
    return {
      allowed: true,
      origin: place.origin,
      reason: `"${place.path}" may be ${act === "read" ? "read" : "written"}`,
    };
  const temporary = path === "/tmp" || isBelow(path, "/tmp");
  if (temporary && act === "write") {
    return {
      allowed: true,
      origin: { kind: "always", what: "every wall" },
      reason: "inside, /tmp is memory of the command's own, not the host's folder",
    };
  }
  return {
    allowed: false,
    reason: `no rule lets it be ${act === "read" ? "read" : "written"}`,
    flag: flagFor(act, path),
  };
}

function flagFor(act: "read" | "write", path: string): string {
  const word = /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
  return `${act === "read" ? "--read" : "--allow"} ${word}`;
}

/** Whether a program may be executed, by its name or by its path inside. */
export function decideExec(book: Rulebook, command: string): Verdict {
  const program = book.programs.find(({ path, real }) =>
    command.includes("/")
      ? path === command || real === command
      : path.slice(path.lastIndexOf("/") + 1) === command,
  );
  if (program !== undefined)
    return { allowed: true, origin: program.origin, reason: `"${program.path}" may be executed` };
  return {
    allowed: false,
    reason: "no rule lets it be executed, so it isn't there",
    flag: `--allow-command ${command}`,
  };
}

/** Whether a host may be connected to; `port` 443 if it isn't said. */
export function decideConnect(book: Rulebook, host: string, port = 443): Verdict {
  if (book.blocked !== undefined)
    return { allowed: false, origin: book.blocked, reason: "the network is switched off" };
  const name = host.toLowerCase();
  const denied = book.deniedHosts.find((each) => each.name.toLowerCase() === name);
  if (denied !== undefined)
    return { allowed: false, origin: denied.origin, reason: `"${name}" is denied` };
  const granted = book.hosts.find((each) => each.name === name && each.port === port);
  if (granted !== undefined)
    return { allowed: true, origin: granted.origin, reason: `${name}:${port} is ${granted.how}` };
  const other = book.hosts.find((each) => each.name === name);
  if (other !== undefined) {
    return {
      allowed: false,
      origin: other.origin,
      reason: `"${name}" is granted at port ${other.port}, not at ${port}`,
    };
  }
  return {
    allowed: false,
    reason: "no rule grants this host, so its name isn't known inside",
    ...(port === 443 && /^[\w.-]+\.[a-z]\w*$/i.test(host)
      ? { flag: `--allow-domain ${name}` }
      : {}),
  };
}
