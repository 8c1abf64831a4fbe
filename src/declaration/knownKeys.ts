import { z } from "zod";
import { declarationSchema } from "./Declaration.ts";
import type { Path } from "./Fault.ts";

/** The keys that an object at `path` of a declaration may have; empty where any may stand. */
export function knownKeys(path: Path): string[] {
  let schema: z.core.$ZodType | undefined = declarationSchema;
  for (const step of path) {
    schema = childOf(unwrap(schema), step);
    if (schema === undefined) return [];
  }
  const object = unwrap(schema);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function childOf(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[step] as z.core.$ZodType | undefined;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return schema instanceof z.ZodArray ? schema.element : undefined;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return unwrap(schema.unwrap());
  return schema;
}
