import { fileURLToPath } from "node:url";

/** Where it is built; walls of single commands show it from there. */
export const LAUNCHER = fileURLToPath(new URL("../../build/seawall-launch", import.meta.url));
