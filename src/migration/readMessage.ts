import { z } from "zod";
import type { MigrationMessage } from "./inside/Job.ts";

const text = z.string().max(8192);
const named = (kind: string) => z.strictObject({ kind: z.literal(kind), name: text });

const schema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("config"), value: z.record(z.string(), z.json()) }),
  z.strictObject({
    type: z.literal("credential"),
    credential: z.strictObject({
      place: text,
      purpose: z.union([
        named("provider"),
        named("variable"),
        named("plugin"),
        z.strictObject({ kind: z.literal("channel"), name: text, field: text }),
        z.strictObject({ kind: z.literal("setting"), path: text }),
      ]),
      value: z.string().max(64 * 1024),
    }),
  }),
  z.strictObject({ type: z.literal("left"), place: text, why: text }),
  z.strictObject({
    type: z.literal("file"),
    file: z.strictObject({
      path: text,
      mode: z.int().min(0).max(0o7777),
      modified: z.number(),
      bytes: z.string().optional(),
    }),
  }),
  z.strictObject({ type: z.literal("changed"), path: text }),
  z.strictObject({
    type: z.literal("failed"),
    code: z.enum([
      "no-config",
      "bad-config",
      "includes",
      "bad-database",
      "too-large",
      "disk",
      "changed",
    ]),
    place: text,
  }),
  z.strictObject({ type: z.literal("done") }),
]);

/** One line of the program inside. It has read what a bot wrote, so nothing but these messages is taken. */
export function readMessage(line: string): MigrationMessage | undefined {
  try {
    return schema.parse(JSON.parse(line)) as MigrationMessage;
  } catch {
    return undefined;
  }
}
