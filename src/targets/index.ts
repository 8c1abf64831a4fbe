export { targetFile, type Target, type TargetFile } from "./Target.ts";
export { TargetError, type TargetErrorCode } from "./TargetError.ts";
export * from "./launchd/index.ts";
export { writeTarget } from "./writeTarget.ts";
export * from "./systemd/index.ts";
export * from "./nix/index.ts";
