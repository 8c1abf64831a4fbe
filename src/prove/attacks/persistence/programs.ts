import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const programs: Attack = {
  name: "programs",
  group: "persistence",
  tries: "change the programs that run it: the launcher, Node, OpenClaw, the system's commands",
  run: ({ field, tag }) => writePlaces(field.places.programs, tag),
};
