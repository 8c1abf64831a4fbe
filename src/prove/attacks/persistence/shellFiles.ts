import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

export const shellFiles: Attack = {
  name: "shell-files",
  group: "persistence",
  tries: "write what the owner's shell runs: .bashrc, .profile, .zshrc, .envrc",
  run: ({ field, tag }) => writePlaces(field.places.shell, tag),
};
