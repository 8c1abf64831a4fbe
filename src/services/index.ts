export {
  BROWSER_LIMITS,
  BROWSER_PROGRAM,
  browserFiles,
  browserWall,
  findChromium,
  type BrowserSystem,
  type BrowserWallInput,
} from "./browser/browserWall.ts";
export type { GateServiceConfig } from "./browser/gate/GateServiceConfig.ts";
export {
  PROXY_PORT,
  USUAL_BYTES,
  USUAL_SECONDS,
  type BrowserRules,
  type FromGate,
  type ToGate,
} from "./browser/messages.ts";
