import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import {
  decideConnect,
  decideExec,
  decideFile,
  describePlace,
  isBelow,
  type Rulebook,
  type Verdict,
} from "../../profiles/index.ts";
import { rulebookOf, type GrantedHosts, type PreparedRun } from "../../run/index.ts";
import type { RunCall } from "./parseRun.ts";

/** Something a command asked for and didn't get. */
export type Refused =
  | { readonly kind: "read" | "write" | "exec" | "connect"; readonly what: string }
  | { readonly kind: "call"; readonly what: string; readonly code: string };

/** More would be a log. */
const MOST_LINES = 12;

/**
 * Says on standard error what a command that ended was refused: what was tried, which rule decided,
 * which flag would allow it, and how to keep that flag. Without `--explain` only what the network's
 * record and the command's own words tell is known: nobody watches which files it opens.
 */
export async function explainEnd(
  prepared: PreparedRun,
  call: RunCall,
  end: { readonly code: number; readonly refusals: readonly Refused[] },
): Promise<void> {
  const book = rulebookOf(prepared, await credentialHosts(prepared));
  const told = end.refusals.length > 0 ? end.refusals : [];
  const refused = [...told, ...(call.explain ? [] : namedFiles(prepared, book))];
  const lines: string[] = [];
  const flags = new Set<string>();
  const seen = new Set<string>();
  for (const each of refused) {
    const verdict = judge(book, each);
    if (verdict === undefined || isSilent(prepared, each)) continue;
    const key = `${each.kind} ${verdict.flag ?? each.what}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (verdict.flag !== undefined) flags.add(verdict.flag);
    const rule = verdict.origin === undefined ? "" : `; by ${await describePlace(verdict.origin)}`;
    lines.push(`  ${each.kind} ${each.what}: ${verdict.reason}${rule}`);
    if (verdict.flag !== undefined) lines.push(`    allowed by: ${verdict.flag}`);
  }
  if (lines.length === 0) return;
  const more =
    lines.length > MOST_LINES ? [`  and ${lines.length - MOST_LINES} more lines like these`] : [];
  const offer =
    flags.size === 0
      ? []
      : ["  to keep flags under a name: seawall run --save-profile NAME [FLAGS] -- …"];
  const watch =
    call.explain || end.refusals.length > 0
      ? []
      : ["  known by the command's own words; --explain watches every file it asks for"];
  const text = [
    "seawall: the wall refused",
    ...lines.slice(0, MOST_LINES),
    ...more,
    ...watch,
    ...offer,
  ];
  const { printable } = await import("../block.ts");
  process.stderr.write(`${text.map(printable).join("\n")}\n`);
}

/** Loaded only where there are credentials: most commands that fail have to do with none. */
async function credentialHosts({ policy }: PreparedRun): Promise<GrantedHosts> {
  if (policy.network.credentials.length + policy.environmentCredentials.length === 0) return [];
  const { grantedHosts } = await import("../../host/index.ts");
  return grantedHosts(policy, process.env);
}

function judge(book: Rulebook, refused: Refused): Verdict | undefined {
  switch (refused.kind) {
    case "read":
    case "write": {
      // What isn't on the host either was not refused by the wall.
      if (refused.kind === "read" && !existsSync(refused.what)) return undefined;
      const verdict = decideFile(book, refused.kind, follow(refused.what));
      return verdict.allowed ? undefined : verdict;
    }
    case "exec": {
      if (!existsSync(refused.what)) return undefined;
      const verdict = decideExec(book, refused.what);
      return verdict.allowed ? undefined : verdict;
    }
    case "connect": {
      const verdict = decideConnect(book, refused.what);
      return verdict.allowed ? undefined : verdict;
    }
    case "call":
      return {
        allowed: false,
        reason: `refused by the broker (${refused.code}); see the service's rules: seawall service show NAME`,
      };
    default:
      return refused satisfies never;
  }
}

/** Words of the command that are paths of this host, which the wall doesn't show. */
function namedFiles({ request }: PreparedRun, book: Rulebook): Refused[] {
  const [, ...words] = request.command;
  return words.flatMap((word): Refused[] => {
    const text = word.replace(/^--?[\w-]+=/, "");
    if (text === "" || (text.startsWith("-") && !existsSync(resolve(request.workdir, text))))
      return [];
    const path = resolve(request.workdir, text);
    if (path === "/" || !existsSync(path)) return [];
    return decideFile(book, "read", follow(path)).allowed ? [] : [{ kind: "read", what: path }];
  });
}

function isSilent({ policy }: PreparedRun, { what }: Refused): boolean {
  return policy.silent.some((path) => what === path || isBelow(what, path));
}

function follow(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
