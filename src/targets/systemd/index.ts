export { systemdTarget } from "./systemdTarget.ts";
export {
  SYSTEMD_PATHS,
  type SystemdAgents,
  type SystemdBot,
  type SystemdBridge,
  type SystemdBrowser,
  type SystemdInput,
  type SystemdInstall,
  type SystemdPaths,
  type SystemdPrograms,
  type SystemdSystem,
  type SystemdUpdate,
} from "./SystemdInput.ts";
export { bridgeConfigInside, bridgeSocket, bridgeState } from "./bridgeUnits.ts";
export { browserSocket, gateConfigInside, gateSocket } from "./browserUnits.ts";
export { wantedBridge, wantedUnits } from "./deploymentUnits.ts";
export {
  botFolder,
  botUnits,
  botUser,
  BRIDGE_USER,
  bridgeUnits,
  brokerUser,
  browserUnits,
  browserUser,
  gateUser,
  installUnit,
  AGENTS_TIMER,
  AGENTS_UNIT,
  FETCH_UNIT,
  privateFolder,
  scratchPlace,
  SLICE_UNIT,
  tailscaleUnit,
  TARGET_UNIT,
  UPDATE_TIMER,
  UPDATE_UNIT,
  WEB_UNIT,
  type BotUnits,
} from "./names.ts";
export {
  botSockets,
  hasBridge,
  hasBrowser,
  hasCommands,
  metricsPort,
  socketCount,
  type BotSocket,
} from "./sockets.ts";
export { tellPlaces, toldBy, type TellPlace } from "./tellUnits.ts";
export { deliverSecrets, encryptedCredential, type Delivery } from "./deliverSecret.ts";
export { caddyfile, type Site } from "./expose/caddySite.ts";
export { fail2ban } from "./expose/fail2ban.ts";
export { firewall } from "./expose/firewall.ts";
export { FETCH_FOLDER } from "./updateUnits.ts";
export { unitProperties } from "./unitProperties.ts";
export { missingDirectives } from "./directives.ts";
