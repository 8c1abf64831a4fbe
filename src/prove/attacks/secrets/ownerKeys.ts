import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";

export const ownerKeys: Attack = {
  name: "owner-keys",
  group: "secrets",
  tries: "read the owner's keys: ~/.ssh, ~/.aws, ~/.gnupg, ~/.netrc, ~/.config/gh",
  run: ({ field }) => readFiles(field.secrets.owner),
};
