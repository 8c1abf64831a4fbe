export { statePaths, type StatePaths } from "./statePaths.ts";
