import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";

export const vault: Attack = {
  name: "vault",
  group: "secrets",
  tries: "read the vault and the identity that opens it",
  run: ({ field }) => readFiles(field.secrets.vault),
};
