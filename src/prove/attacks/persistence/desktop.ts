import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const desktop: Attack = {
  name: "desktop",
  group: "persistence",
  tries: "be started with the owner's desktop (autostart)",
  run: ({ field, tag }) => writePlaces(field.places.desktop, tag),
};
