export { adopt, isHalfDone, planAdoption, undoAdoption, type Adoption } from "./adopt.ts";
export { MigrationError, type MigrationErrorCode } from "./MigrationError.ts";
export { openInstallation, type Installation, type LeftOut } from "./openInstallation.ts";
export {
  planImport,
  readEnvFile,
  readOpenClaw,
  readStore,
  type Candidate,
  type ImportPlan,
} from "./planImport.ts";
