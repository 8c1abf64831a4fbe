import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const editorSettings: Attack = {
  name: "editor-settings",
  group: "persistence",
  tries: "write settings of editors and coding agents that get executed",
  run: ({ field, tag }) => writePlaces(field.places.editor, tag),
};
