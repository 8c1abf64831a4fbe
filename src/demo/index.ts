export { DemoError, type DemoErrorCode } from "./DemoError.ts";
export { findValues, type FinderReport } from "./finder.ts";
export type { NamedValue } from "./compileNeedles.ts";
export { processesInside } from "./processesInside.ts";
export { Replies } from "./Replies.ts";
export {
  sendJson,
  serveHttps,
  type Answer,
  type FullRequest,
  type HttpsServer,
  type Upgrade,
} from "./serveHttps.ts";
export { startStandIns, type StandIns } from "./startStandIns.ts";
export { startTelegramStandIn, type TelegramStandIn } from "./TelegramStandIn.ts";
export { runDemo, type DemoOptions, type DemoReport } from "./runDemo.ts";
