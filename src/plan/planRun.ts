import type { ServiceEntry } from "../catalogue/index.ts";
import type { DeclaredGrant, Declaration, Fault } from "../declaration/index.ts";
import { planDrafts } from "./makePlan.ts";
import type { GrantPlan, MintedSecret, PhantomVariable, SecretPlan } from "./Plan.ts";
import { planMints } from "./planMints.ts";
import { planPorts } from "./planPorts.ts";
import { planSecrets } from "./planSecrets.ts";
import { resolveServices } from "./resolveServices.ts";
import { withCommand } from "./withCommand.ts";

/** What a single command is granted, beside no bot. */
export interface RunPlan {
  readonly grants: readonly GrantPlan[];
  readonly ports: readonly number[];
  readonly environment: readonly PhantomVariable[];
  /** Those that the grants need. */
  readonly secrets: readonly SecretPlan[];
  readonly minted?: readonly MintedSecret[];
}

/**
 * Resolves grants for a command that is no bot's: against the catalogue, and what `services` and
 * `secrets` declare. All faults are reported; the paths in them begin with `grants`.
 */
export function planRun(
  granted: Readonly<Record<string, DeclaredGrant>>,
  declared: Pick<Declaration, "services" | "secrets">,
  options: {
    readonly catalogue: ReadonlyMap<string, ServiceEntry>;
    readonly proxy?: number;
  },
): { readonly plan?: RunPlan; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const services = resolveServices(declared.services, options.catalogue, faults);
  const mints = planMints(declared.secrets, faults);
  const names = new Set(Object.keys(declared.secrets));
  const { grants: all, environment } = planDrafts(granted, [], {
    services,
    secrets: names,
    mints,
    faults,
  });
  // A command's wall has no way to the broker but its network.
  const grants = all.map((grant) => withCommand(grant, new Set()));
  const bot = options.proxy === undefined ? {} : { proxy: options.proxy };
  const ports = planPorts(bot, grants, [], faults);
  const secrets = planSecrets(declared.secrets, mints, [{ grants }], faults);
  return faults.length > 0
    ? { faults }
    : { plan: { grants, ports, environment, ...secrets }, faults };
}
