import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const authorizedKeys: Attack = {
  name: "authorized-keys",
  group: "persistence",
  tries: "let somebody in over SSH: ~/.ssh/authorized_keys and config",
  run: ({ field, tag }) => writePlaces(field.places.keys, tag),
};
