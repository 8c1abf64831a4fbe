import { z } from "zod";
import { declarationSchema } from "./Declaration.ts";

/** The declaration's JSON Schema (draft 2020-12), for editors. Kept in `schema/`. */
export function jsonSchema(): object {
  return {
    title: "Seawall declaration",
    ...z.toJSONSchema(declarationSchema, { io: "input" }),
  };
}
