export { makeGroup, type Group } from "./limits/apply.ts";
export { busEnvironment } from "./limits/probe.ts";
export { closingArguments } from "./namespaces/arguments.ts";
export { compileWall, type SharedFilters } from "./compileWall.ts";
export { compileNested, type NestedSpec } from "./compileNested.ts";
export { isShared } from "./compileShared.ts";
export type { CompiledWall } from "./CompiledWall.ts";
export type { HostCapabilities } from "./HostCapabilities.ts";
export type { Mechanism, MechanismReport } from "./MechanismReport.ts";
export { placeProtections } from "./protect/placeProtections.ts";
export { protectedPaths, reasonFor } from "./protect/protectedPaths.ts";
export type { ProtectedOptions } from "./protect/protectedPaths.ts";
export type { PlacedSpec } from "./protect/placeProtections.ts";
export { probeHost } from "./probe/probeHost.ts";
export { programFiles } from "./probe/programFiles.ts";
export type { ProgramFiles } from "./probe/programFiles.ts";
export { readInterpreter } from "./probe/readInterpreter.ts";
export type { ProbeOptions } from "./probe/runProbe.ts";
export { syscallNumbers } from "./seccomp/syscalls.ts";
export { compileSeatbelt } from "./seatbelt/compileSeatbelt.ts";
export { proveSeatbelt } from "./seatbelt/proveSeatbelt.ts";
export { boundsMemory, compileLimits, type CompiledGroup } from "./limits/compile.ts";
export { startWalled } from "./startWalled.ts";
export type { StartOptions, WalledExit, WalledProcess } from "./startWalled.ts";
export { WallError } from "./WallError.ts";
export type { WallErrorCode } from "./WallError.ts";
export type {
  Concession,
  Identity,
  Mount,
  Protection,
  ResourceLimits,
  ServiceStart,
  WallNetwork,
  WallSpec,
} from "./WallSpec.ts";
