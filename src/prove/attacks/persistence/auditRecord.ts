import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const auditRecord: Attack = {
  name: "audit-record",
  group: "persistence",
  tries: "change the record of what was called",
  run: ({ field, tag }) => writePlaces(field.places.record, tag),
};
