export { applyCommand, nixosDeclaration } from "./applyCommand.ts";
export { askBroker, type BrokerReply } from "./askBroker.ts";
export {
  currentSystemGeneration,
  listSystemGenerations,
  readSystemGeneration,
} from "./SystemGeneration.ts";
export { readPending } from "./activate.ts";
export { rollbackSystem, switchSystem, type Switched, type SwitchOptions } from "./switchSystem.ts";
export { gatewayLog } from "./gatewayLog.ts";
export { portableInput } from "./portableInput.ts";
export { answerService, botsInForce, serviceAsks, serviceRecordPaths } from "./serviceAsks.ts";
export { serviceSurroundings, type ServiceSurroundings } from "./serviceSurroundings.ts";
export { startServiceCopy } from "./startServiceCopy.ts";
export { systemInForce } from "./systemInForce.ts";
export { systemInput } from "./systemInput.ts";
export { systemPaths, type SystemPaths } from "./systemPaths.ts";
export {
  hasSystemDeployment,
  systemStatus,
  type SystemBotStatus,
  type SystemStatus,
  type UnitStatus,
  type UpdateStatus,
} from "./systemStatus.ts";
export { updateSystem, type UpdateOptions } from "./update/updateSystem.ts";
export type { UpdateReport } from "./update/UpdateReport.ts";
export { uninstallSystem } from "./uninstallSystem.ts";
