export { describedFiles, describedGeneration, describedSystem } from "./describedSystem.ts";
export { judgeConfig } from "./judgeConfig.ts";
export { readMachine, type MachineDescription } from "./MachineDescription.ts";
export { renderDescribed } from "./renderDescribed.ts";
