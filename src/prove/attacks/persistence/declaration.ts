import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const declaration: Attack = {
  name: "declaration",
  group: "persistence",
  tries: "change the declaration, to be granted more at the next start",
  run: ({ field, tag }) => writePlaces(field.places.declaration, tag),
};
