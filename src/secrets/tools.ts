export { backupVault, restoreVault, type BackupKey } from "./backup.ts";
export { parseRecipients } from "./age/encryptAge.ts";
export { EXPORT_FORMS, exportSecrets, type ExportOrder } from "./export/exportSecrets.ts";
export { openDirect } from "./openDirect.ts";
