export { launchdTarget } from "./launchdTarget.ts";
export type { LaunchdBot, LaunchdInput, LaunchdPaths } from "./launchdTarget.ts";
