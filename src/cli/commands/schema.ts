import { jsonSchema } from "../../declaration/index.ts";
import type { Command } from "../Command.ts";

export const schema: Command = {
  name: "schema",
  usage: "",
  summary: "the declaration's JSON Schema, for editors",
  help: "Prints what schema/seawall.schema.json holds.",
  options: {},
  words: { least: 0, most: 0 },
  run: async ({ output }) => {
    output.json(jsonSchema());
    return 0;
  },
};
