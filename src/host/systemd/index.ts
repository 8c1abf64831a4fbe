export { askBroker, type BrokerReply } from "./askBroker.ts";
export {
  currentSystemGeneration,
  listSystemGenerations,
  readSystemGeneration,
} from "./SystemGeneration.ts";
export { readPending } from "./activate.ts";
export { rollbackSystem, switchSystem, type Switched, type SwitchOptions } from "./switchSystem.ts";
export { portableInput } from "./portableInput.ts";
export { answerService, botsInForce, serviceAsks, serviceRecordPaths } from "./serviceAsks.ts";
export { serviceSurroundings, type ServiceSurroundings } from "./serviceSurroundings.ts";
export { startServiceCopy } from "./startServiceCopy.ts";
export { systemInput } from "./systemInput.ts";
export { systemPaths, type SystemPaths } from "./systemPaths.ts";
export {
  hasSystemDeployment,
  systemStatus,
  type SystemBotStatus,
  type SystemStatus,
  type UnitStatus,
} from "./systemStatus.ts";
export { uninstallSystem } from "./uninstallSystem.ts";
