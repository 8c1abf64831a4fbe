import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";

export const neighbourFiles: Attack = {
  name: "neighbour-files",
  group: "other bots",
  tries: "read another bot's folder",
  run: ({ field }) => readFiles(field.neighbour.files),
};
