export { systemdTarget } from "./systemdTarget.ts";
export {
  SYSTEMD_PATHS,
  type SystemdBot,
  type SystemdInput,
  type SystemdPaths,
  type SystemdPrograms,
  type SystemdSystem,
} from "./SystemdInput.ts";
export { wantedUnits } from "./deploymentUnits.ts";
export {
  botUnits,
  botUser,
  brokerUser,
  privateFolder,
  scratchPlace,
  SLICE_UNIT,
  TARGET_UNIT,
  type BotUnits,
} from "./names.ts";
export { botSockets, metricsPort, socketCount, type BotSocket } from "./sockets.ts";
export { deliverSecrets, type Delivery } from "./deliverSecret.ts";
export { caddyfile, type Site } from "./expose/caddySite.ts";
export { fail2ban } from "./expose/fail2ban.ts";
export { firewall } from "./expose/firewall.ts";
export { unitProperties } from "./unitProperties.ts";
export { missingDirectives } from "./directives.ts";
