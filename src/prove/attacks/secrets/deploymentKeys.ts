import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";

export const deploymentKeys: Attack = {
  name: "deployment-keys",
  group: "secrets",
  tries: "read the key of the phantoms, that of the record, tokens and the control channel's",
  run: ({ field }) => readFiles(field.secrets.deployment),
};
