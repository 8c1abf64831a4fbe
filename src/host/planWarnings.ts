import type { Plan } from "../plan/index.ts";
import type { HealthWarning } from "./status.ts";

/** What a declaration may say, and should rather not; shown for as long as it is in force. */
export function planWarnings(plan: Plan): HealthWarning[] {
  return plan.secrets.flatMap(({ name, source }) =>
    source.store === "env"
      ? [
          {
            key: `declared:${name}`,
            warning:
              `secret "${name}" comes from the environment, the worst place for one: it is inherited ` +
              `by every program started from the same shell, stays in the memory of the supervisor ` +
              `and the broker for as long as they run, and can't be changed without a restart`,
            remedy: `keep it in the vault instead: seawall secret set ${name}`,
          },
        ]
      : [],
  );
}
