export type * from "./Plan.ts";
export { assignAddresses } from "./assignAddresses.ts";
export { derivePhantom } from "./derivePhantom.ts";
export { makePlan, type PlanContext } from "./makePlan.ts";
export { formatRule } from "./formatRule.ts";
export { allowAlways, type AskedCall } from "./allowAlways.ts";
export { usedSecrets } from "./planSecrets.ts";
export { planRun, type RunPlan } from "./planRun.ts";
export { comparePlans, type PlanChange } from "./comparePlans.ts";
