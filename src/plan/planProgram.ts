import type { DeclaredGrant, Fault, Path } from "../declaration/index.ts";
import { CALL_KEYS, type DraftGrant } from "./GrantContext.ts";
import type { DialPlan } from "./Plan.ts";
import { planLimits } from "./planLimits.ts";
import type { KnownService } from "./resolveServices.ts";

/** A service that is code: nothing of it is on a network, so nothing about calls could have an effect. */
export function planProgram(
  { name, command }: KnownService,
  { options, needs = [], dial: dials = [] }: NonNullable<KnownService["program"]>,
  context: {
    readonly declared: DeclaredGrant;
    readonly path: Path;
    readonly faults: Fault[];
    readonly dial?: DialPlan;
  },
): DraftGrant[] {
  const { declared, path, faults, dial } = context;
  const idle = (at: readonly string[], what: string): void => {
    faults.push({
      code: "no-effect",
      path: [...path, ...at],
      atKey: true,
      message: what,
      hint: "remove it",
    });
  };
  for (const key of [...CALL_KEYS, "server", "dial"] as const) {
    if (declared[key] === undefined || (key === "dial" && dials.length > 0)) continue;
    idle([key], `"${name}" makes no calls by method and path, so "${key}" could have no effect`);
  }
  for (const key of Object.keys(dials.length > 0 ? (declared.dial ?? {}) : {}))
    if (!dials.some((each) => each === key))
      idle(["dial", key], `"${key}" means nothing to "${name}"`);
  const limits = planLimits(declared.limits, path, `"${name}" counts no tokens`, faults);
  if (command === undefined) return [];
  const said = options.flatMap((key) => {
    const value = declared[key];
    const sorted = Array.isArray(value) ? [...new Set(value)].toSorted() : value;
    return sorted === undefined ? [] : [[key, sorted] as const];
  });
  for (const key of needs) {
    if (declared[key] !== undefined) continue;
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `grant "${name}" says no "${key}", so it would allow nothing`,
      hint: `add ${key}: ["*.example.org"]; docs/${name}.md says what it means`,
    });
  }

  return [
    {
      grant: {
        kind: "program",
        name,
        service: name,
        hosts: [],
        command,
        options: Object.fromEntries(said),
        ...limits,
        ...(dial === undefined ? {} : { dial }),
      },
    },
  ];
}
