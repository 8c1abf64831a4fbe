export { CSV_FIELDS, csvRow } from "./csv.ts";
export { openIndex, type IndexUpdate } from "./RecordIndex.ts";
export {
  countRecords,
  GROUPS,
  listRecords,
  SUMS,
  type Counted,
  type Filter,
  type Group,
} from "./queryIndex.ts";
export { openRecord, readLines, type RecordFile } from "./readLines.ts";
export { verifyRecord, type Finding, type Verification } from "./verifyRecord.ts";
export { RecordTail } from "./RecordTail.ts";
