import { z } from "zod";
import type { ScanMessage } from "./inside/Job.ts";

const text = z.string().max(8192);
const place = {
  path: text,
  line: z.int().min(1).optional(),
  table: text.optional(),
  row: z.int().min(1).optional(),
  column: text.optional(),
  object: text.optional(),
  commit: text.optional(),
  file: text.optional(),
  part: z.enum(["name", "target"]).optional(),
  redacted: z.boolean().optional(),
};

const schema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("at"), path: text }),
  z.strictObject({ type: z.literal("alive") }),
  z.strictObject({
    type: z.literal("found"),
    finding: z.discriminatedUnion("kind", [
      z.strictObject({ ...place, kind: z.literal("secret"), secret: text, spelling: text }),
      z.strictObject({ ...place, kind: z.literal("shape"), rule: text }),
    ]),
  }),
  z.strictObject({ type: z.literal("unread"), path: text, why: text }),
  z.strictObject({
    type: z.literal("done"),
    files: z.number().nonnegative(),
    bytes: z.number().nonnegative(),
  }),
]);

/**
 * One line of the scanner's. It has read what bots wrote and may be theirs by now, so nothing else than
 * these messages is taken from it.
 */
export function readMessage(line: string): ScanMessage | undefined {
  try {
    return schema.parse(JSON.parse(line)) as ScanMessage;
  } catch {
    return undefined;
  }
}
