export type { Ask } from "../broker/index.ts";
export { CONTAINERS_BACKEND, TOOLS_BACKEND } from "../openclaw/index.ts";
export { hasContainers } from "./containers/containerLaunches.ts";
export { agentsBase, hasToolPolicies, makeAgentsFolder } from "./agentsFolder.ts";
export { agentWorkers, makeAgentsOwn } from "./agentWorker.ts";
export { applyGeneration } from "./applyGeneration.ts";
export { auditFile, auditPublicKey } from "./auditRecord.ts";
export { askSupervisor, readAddress } from "./control/index.ts";
export { supervisedInForce, type InForce } from "./changeDeclaration.ts";
export { declareAlways, type DeclaredAlways } from "./declareAlways.ts";
export { examineHost } from "./examineHost.ts";
export { currentGeneration, readGeneration, type Generation } from "./Generation.ts";
export { asDiskError, HostError, type HostErrorCode } from "./HostError.ts";
export { gatewayTokenFile } from "./hostKeys.ts";
export { botHome, dropBotHome, fillBotHome } from "./botHome.ts";
export { botPhantoms, knownPhantoms } from "./knownPhantoms.ts";
export {
  declarationFaults,
  loadDeclaration,
  readLoaded,
  type LoadedDeclaration,
} from "./loadDeclaration.ts";
export { prepareGeneration } from "./prepareGeneration.ts";
export { startCopy, type Copy, type CopyProcess } from "./startCopy.ts";
export { COMMAND_SOCKET, INSIDE, SERVICE_INSIDE } from "./inside.ts";
export { findGit } from "./findCommand.ts";
export { PROJECT } from "./ownProcess.ts";
export type { InsidePaths } from "../openclaw/index.ts";
export { prepareTool, runInWall } from "./runInWall.ts";
export type { WalledTool } from "./toolWall.ts";
export { resolveSecrets } from "./resolveSecrets.ts";
export { planWarnings } from "./planWarnings.ts";
export { stopDeployment, supervisorEnds } from "./stopDeployment.ts";
export { statePaths, type StatePaths } from "../paths/index.ts";
export type { BotStatus, ProcessStatus, SupervisorStatus } from "./status.ts";
export { startRunNetwork, type RunNetworkSide } from "./run/startRunNetwork.ts";
export { grantedHosts } from "./run/grantedHosts.ts";
export { botRulebook, declaredBots } from "./run/botRulebook.ts";
export { planNetwork, type NetworkPlan } from "./run/planNetwork.ts";
export { warningsFor, type Warning } from "./warnings.ts";
export * from "./systemd/index.ts";
export * from "./described/index.ts";
