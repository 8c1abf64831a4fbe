export { adoptPin } from "./adoptPin.ts";
export { compareVersions } from "./compareVersions.ts";
export { checkSettings, type SettingFault } from "./checkSettings.ts";
export { ensureNode, type InstalledNode } from "./ensureNode.ts";
export {
  ensureOpenClaw,
  type InstalledOpenClaw,
  type InstallOptions,
  type InstallProgress,
} from "./ensureOpenClaw.ts";
export {
  fetchNewer,
  Offer,
  OFFER_FILE,
  OFFERED_PINS,
  OFFERED_TREE,
  writeOffer,
} from "./fetchNewer.ts";
export { makePin, type MakePinOptions } from "./makePin.ts";
export { OpenClawError, type OpenClawErrorCode } from "./OpenClawError.ts";
export {
  AGENT,
  AGENTS,
  AGENTS_FILE,
  CHANNELS,
  GATEWAY_PORT,
  CONTAINERS_BACKEND,
  CONTAINERS_SOCKET,
  hasToolWalls,
  SKILLS,
  TOOLS,
  TOOLS_BACKEND,
  TOOLS_LAUNCHER,
  type InsidePaths,
} from "./ownedSettings.ts";
export { latestPin, listPins, readPin, type OpenClawPin } from "./Pin.ts";
export { hasPlugin, pluginInstall, type PluginInstall } from "./pluginInstall.ts";
export { registrySettings, type RegistrySettings } from "./registrySettings.ts";
export { registryUrl } from "./registryUrl.ts";
export { renderConfig, type RenderedOpenClaw } from "./renderConfig.ts";
export { readValidation, type ConfigIssue } from "./readValidation.ts";
