export type { AuditEnd, AuditRecord, AuditStart, Outcome } from "../../record/index.ts";
