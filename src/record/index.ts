import type * as Reader from "./read/index.ts";

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
export type { Finding, Verification } from "./read/verifyRecord.ts";
export type { Filter, Group as RecordGroup } from "./read/queryIndex.ts";
export type { NumberField } from "./read/indexSchema.ts";

/** What reads, checks and searches a record. Loaded by whoever asks for it: the broker never does. */
export function openReader(): Promise<typeof Reader> {
  return import("./read/index.ts");
}
