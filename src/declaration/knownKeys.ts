import { z } from "zod";
import { declarationSchema } from "./Declaration.ts";
import type { Path } from "./Fault.ts";

/** The keys that an object at `path` of a declaration may have; empty where any may stand. */
export function knownKeys(path: Path): string[] {
  let schemas: readonly z.core.$ZodType[] = forms(declarationSchema);
  for (const step of path) schemas = schemas.flatMap((schema) => childrenOf(schema, step));
  return schemas.flatMap((schema) =>
    schema instanceof z.ZodObject ? Object.keys(schema.shape) : [],
  );
}

function childrenOf(schema: z.core.$ZodType, step: string | number): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    const child = schema.shape[step] as z.core.$ZodType | undefined;
    return child === undefined ? [] : forms(child);
  }
  if (schema instanceof z.ZodRecord) return forms(schema.valueType);
  return schema instanceof z.ZodArray ? forms(schema.element) : [];
}

/** The schema itself, or each of a union's. */
function forms(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return forms(schema.unwrap());
  return schema instanceof z.ZodUnion ? schema.options.flatMap(forms) : [schema];
}
