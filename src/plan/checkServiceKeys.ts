import type { DeclaredGrant, Fault, Path } from "../declaration/index.ts";
import { CALL_KEYS, GRANT_OPTIONS } from "./GrantContext.ts";
import type { KnownService } from "./resolveServices.ts";

/** What a grant of a service says and can't, and what it lacks. */
export function checkServiceKeys(
  { name, channel, keyless, program, login }: KnownService,
  declared: DeclaredGrant,
  path: Path,
  secrets: ReadonlySet<string>,
  faults: Fault[],
): void {
  for (const key of ["tunnel", "tcp"] as const) {
    if (declared[key] === undefined) continue;
    faults.push({
      code: "invalid",
      path: [...path, key],
      atKey: true,
      message: `"${name}" is a service with a credential, so it can't be passed through unopened`,
      hint: `remove ${key}, or grant the host by its name`,
    });
  }
  for (const key of login === undefined ? [] : CALL_KEYS) {
    if (declared[key] === undefined) continue;
    faults.push({
      code: "no-effect",
      path: [...path, key],
      atKey: true,
      message: `"${name}" makes no calls by method and path, so "${key}" could have no effect`,
      hint: "remove it",
    });
  }
  for (const key of GRANT_OPTIONS) {
    if (declared[key] === undefined || program?.options.includes(key) === true) continue;
    faults.push({
      code: "no-effect",
      path: [...path, key],
      atKey: true,
      message: `"${key}" means nothing to "${name}"`,
      hint: "remove it",
    });
  }
  if (keyless || program !== undefined) {
    if (declared.secret !== undefined)
      faults.push({
        code: "no-effect",
        path: [...path, "secret"],
        atKey: true,
        message: `"${name}" takes no credential, so "secret" could have no effect`,
        hint: "remove it, or declare a service of your own that takes one",
      });
  } else if (declared.secret === undefined) {
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `grant "${name}" names no secret`,
      hint: `add secret: "${name}" and declare it under "secrets"`,
    });
  } else if (!secrets.has(declared.secret)) {
    faults.push({
      code: "unknown-secret",
      path: [...path, "secret"],
      message: `grant "${name}" needs secret "${declared.secret}", which no store declares`,
      hint: `add it under "secrets", as ${quoteName(declared.secret)}: { vault: "${declared.secret}" }`,
    });
  }
  if (declared.allowFrom !== undefined && channel === undefined) {
    faults.push({
      code: "invalid",
      path: [...path, "allowFrom"],
      atKey: true,
      message: `"${name}" is not a channel, so it has no senders`,
      hint: "remove allowFrom",
    });
  }
}

function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name}"`;
}
