export { scan, type ScanReport } from "./scan.ts";
export { ScanError, type ScanErrorCode } from "./ScanError.ts";
export type { Finding, Place } from "./inside/Job.ts";
