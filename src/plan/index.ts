export type * from "./Plan.ts";
export { derivePhantom } from "./derivePhantom.ts";
