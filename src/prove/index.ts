export { GROUPS, type Group } from "./Attack.ts";
export { attacks } from "./attacks/index.ts";
export { proveBot, type Subject } from "./proveBot.ts";
export { proveCommand } from "./proveCommand.ts";
export { proveProfile } from "./proveProfile.ts";
export { ProveError, type ProveErrorCode } from "./ProveError.ts";
export type { AttackReport, ProveReport } from "./ProveReport.ts";
