import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generated } from "./generated.ts";
import { optionsPage } from "./optionsPage.ts";

const FOLDER = join(import.meta.dirname, "../../nix/generated");
for (const [name, text] of generated()) writeFileSync(join(FOLDER, name), text);
writeFileSync(join(FOLDER, "../../docs/nixos-options.md"), optionsPage());
