import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";

export const systemSecrets: Attack = {
  name: "system-secrets",
  group: "secrets",
  tries: "read password hashes and the host's keys",
  run: ({ field }) => readFiles(field.secrets.system),
};
