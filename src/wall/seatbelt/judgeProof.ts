import type { SeatbeltProof } from "../CompiledWall.ts";

/** By act: `done`, or the code of the error it met. */
export type Outcomes = Readonly<Record<string, string>>;

/** What a wall does about one act of attempts.cjs. */
interface Act {
  readonly name: string;
  readonly must: "work" | "be refused";
  /** It need not come to anything, as long as it is no permission that is lacking: nobody has to answer. */
  readonly loose?: true;
  /** It isn't tried without the wall: another act that is allowed shows that it could work. */
  readonly unopened?: true;
  /** Another code that says it was refused. */
  readonly also?: string;
  /** What has to be known for it. */
  readonly needs?: "connects" | "binds" | "address" | "program";
}

const ACTS: readonly Act[] = [
  { name: "read what it is granted", must: "work" },
  { name: "write its own folder", must: "work" },
  { name: "execute what it is granted", must: "work" },
  { name: "connect to the broker", must: "work", loose: true, needs: "connects" },
  { name: "answer at its own port", must: "work", loose: true, needs: "binds" },
  { name: "read a file outside", must: "be refused" },
  { name: "list a folder outside", must: "be refused" },
  { name: "list its owner's home", must: "be refused" },
  { name: "write a file outside", must: "be refused" },
  { name: "remove a file outside", must: "be refused" },
  // As between file systems, where a link could do more than copying.
  { name: "link a file outside to its own folder", must: "be refused", also: "EXDEV" },
  { name: "read a file outside by a link of its own", must: "be refused" },
  { name: "execute a file that it wrote", must: "be refused" },
  { name: "execute a program that isn't granted", must: "be refused", needs: "program" },
  { name: "connect to another port of this host", must: "be refused" },
  { name: "connect to another address", must: "be refused", loose: true, needs: "address" },
  { name: "connect to a Unix socket", must: "be refused" },
  { name: "send a datagram", must: "be refused" },
  { name: "connect datagrams to an outside address", must: "be refused", loose: true },
  { name: "answer at another port", must: "be refused" },
  // Opened, it would have a firewall ask its owner.
  { name: "answer to other computers", must: "be refused", unopened: true, needs: "binds" },
  { name: "signal a process outside", must: "be refused" },
];

/** The acts that can be tried, in order. */
export function actsFor(
  { connects, binds }: SeatbeltProof,
  found: { readonly address: string | undefined; readonly program: string | undefined },
): readonly string[] {
  const known = { connects, binds, ...found };
  return ACTS.filter(({ needs }) => needs === undefined || known[needs] !== undefined).map(
    ({ name }) => name,
  );
}

/** Those of the acts that must not be tried without the wall. */
export function keptFromOpen(): ReadonlySet<string> {
  return new Set(ACTS.filter(({ unopened }) => unopened).map(({ name }) => name));
}

/**
 * What speaks against a wall, one line for each act; nothing if it holds. An outcome that is lacking speaks
 * against it.
 *
 * @param open the outcomes without the wall, or why there are none; `walled` likewise behind it.
 */
export function judgeProof(tried: {
  readonly acts: readonly string[];
  readonly open: Outcomes | string;
  readonly walled: Outcomes | string;
}): string[] {
  const { acts, open, walled } = tried;
  if (typeof open === "string") return [`it can't be tried: ${open}`];
  if (typeof walled === "string") return [`Node doesn't run behind it: ${walled}`];
  return ACTS.filter(({ name }) => acts.includes(name)).flatMap((act) => {
    const { name, must } = act;
    const without = open[name];
    if (act.unopened !== true && !works(act, without))
      return [`nobody can ${name} here, wall or not (${without ?? "not tried"})`];
    const within = walled[name];
    if (must === "work")
      return works(act, within) ? [] : [`it can't ${name} (${within ?? "not tried"})`];
    return isRefusal(act, within) ? [] : [`it could ${name} (${within ?? "not tried"})`];
  });
}

function works({ loose }: Act, outcome: string | undefined): boolean {
  return outcome === "done" || (loose === true && outcome !== undefined && !isRefused(outcome));
}

function isRefusal({ also }: Act, outcome: string | undefined): boolean {
  return outcome !== undefined && (isRefused(outcome) || outcome === also);
}

/** Permission is lacking, or there is no such kind of socket for this process. */
function isRefused(outcome: string): boolean {
  return ["EPERM", "EACCES", "EAFNOSUPPORT", "EPROTONOSUPPORT"].includes(outcome);
}
