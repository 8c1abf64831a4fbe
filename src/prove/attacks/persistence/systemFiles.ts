import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const systemFiles: Attack = {
  name: "system-files",
  group: "persistence",
  tries: "write the system's own files: users, preloaded libraries, its programs",
  run: ({ field, tag }) => writePlaces(field.places.system, tag),
};
