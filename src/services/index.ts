export {
  BROWSER_LIMITS,
  BROWSER_PROGRAM,
  browserWall,
  findChromium,
  type BrowserWallInput,
} from "./browser/browserWall.ts";
export {
  USUAL_BYTES,
  USUAL_SECONDS,
  type BrowserRules,
  type FromGate,
  type ToGate,
} from "./browser/messages.ts";
