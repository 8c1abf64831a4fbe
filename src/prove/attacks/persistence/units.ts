import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const units: Attack = {
  name: "units",
  group: "persistence",
  tries: "have systemd run something: the system's units and the owner's",
  run: ({ field, tag }) => writePlaces(field.places.units, tag),
};
