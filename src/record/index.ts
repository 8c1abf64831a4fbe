export type { AuditEnd, AuditRecord, AuditStart, Outcome } from "./AuditRecord.ts";
export {
  asciiJson,
  GENESIS,
  hashBody,
  LONGEST_LINE,
  readSealedLine,
  sealLine,
  type SealedLine,
} from "./chain.ts";
export {
  checkpointBody,
  checkSigned,
  headText,
  makeSigningKey,
  publicKeyOf,
  readHead,
  signatureChecker,
  signerOf,
  type CheckpointReason,
  type Head,
  type Signer,
} from "./checkpoint.ts";
export { RecordError } from "./RecordError.ts";
export {
  recordNames,
  rotatedFiles,
  rotatedPath,
  stamp,
  type RecordNames,
  type RotatedFile,
} from "./recordFiles.ts";
