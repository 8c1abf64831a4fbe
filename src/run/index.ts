export { findProgram, type Program } from "./findProgram.ts";
export { layOut, type LaidPlace, type Layout } from "./layOut.ts";
export { prepareRun, type PreparedRun, type PrepareOptions } from "./prepareRun.ts";
export { RunError, type RunErrorCode } from "./RunError.ts";
export type { RunRequest } from "./RunRequest.ts";
export { hasTerminal, LAUNCHER, policyFolder, runCommand } from "./runCommand.ts";
export { CA_BUNDLE, type RunNetwork } from "./runSpec.ts";
export { rulebookOf, type GrantedHosts } from "./rulebookOf.ts";
export type { CommandEnd, RunningCommand } from "./startCommand.ts";
