import type { Case } from "./Case.ts";
import { groups } from "./cases/index.ts";
import { runCase, type Result } from "./runCase.ts";
import type { Target } from "./Target.ts";

/** A case by its full name. */
export interface Named {
  readonly name: string;
  readonly case: Case;
}

/** All cases, in their order. @throws when two have one name. */
export function allCases(filter = ""): readonly Named[] {
  const seen = new Set<string>();
  return groups
    .flatMap((group) =>
      group.cases.map((each) => ({ name: `${group.name}/${each.name}`, case: each })),
    )
    .filter(({ name }) => {
      if (seen.has(name)) throw new Error(`two cases are called ${name}`);
      seen.add(name);
      return name.includes(filter);
    });
}

/**
 * Runs cases on all the lanes of a target at once, the slow ones first, and those that need it for
 * themselves last. Gives each one's result as a promise at once.
 */
export function runAll(
  target: Target,
  cases: readonly Named[],
): ReadonlyMap<string, Promise<Result>> {
  const results = new Map<string, Promise<Result>>();
  const settle = new Map<string, (result: Result) => void>();
  for (const { name } of cases)
    results.set(name, new Promise((resolve) => settle.set(name, resolve)));
  const queue = [
    ...cases.filter(({ case: each }) => each.slow === true && each.alone !== true),
    ...cases.filter(({ case: each }) => each.slow !== true && each.alone !== true),
  ];
  const work = async (lane: Target["lanes"][number], queue: Named[]): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      settle.get(next.name)?.(await runCase(target, lane, next.name, next.case));
  };
  const run = async (): Promise<void> => {
    await Promise.all(target.lanes.map((lane) => work(lane, queue)));
    const [first] = target.lanes;
    if (first !== undefined)
      await work(
        first,
        cases.filter(({ case: each }) => each.alone === true),
      );
  };
  void run();
  return results;
}
