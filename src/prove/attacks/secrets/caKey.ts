import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";

export const caKey: Attack = {
  name: "ca-key",
  group: "secrets",
  tries: "read the private key of the deployment's CA",
  run: ({ field }) => readFiles(field.secrets.authority),
};
