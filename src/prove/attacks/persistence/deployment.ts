import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const deployment: Attack = {
  name: "deployment",
  group: "persistence",
  tries: "change what was deployed: generations, users, the folder of the state",
  run: ({ field, tag }) => writePlaces(field.places.deployment, tag),
};
