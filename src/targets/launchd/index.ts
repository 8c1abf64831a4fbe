export { LAUNCHD_LABEL, launchdTarget } from "./launchdTarget.ts";
export type { LaunchdInput } from "./launchdTarget.ts";
