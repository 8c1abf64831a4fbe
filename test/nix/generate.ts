import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generated } from "./generated.ts";

const FOLDER = join(import.meta.dirname, "../../nix/generated");
for (const [name, text] of generated()) writeFileSync(join(FOLDER, name), text);
