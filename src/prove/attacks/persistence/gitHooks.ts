import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const gitHooks: Attack = {
  name: "git-hooks",
  group: "persistence",
  tries: "have git run something: hooks and configuration of the owner's repositories",
  run: ({ field, tag }) => writePlaces(field.places.hooks, tag),
};
