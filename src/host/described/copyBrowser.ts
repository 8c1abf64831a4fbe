import { BROWSER_PROGRAM } from "../../services/index.ts";
import { copyProgram } from "../storeProgram.ts";

/** `node copyBrowser.ts FOLDER`: part of building our package for Nix (nix/packages/seawall.nix). */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("say where the browser's program is to be");
copyProgram(folder, BROWSER_PROGRAM);
