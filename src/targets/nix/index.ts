export { nixModule } from "./nixModule.ts";
export { nixOptions } from "./nixOptions.ts";
export { nixName, nixString, nixValue } from "./nixText.ts";
export { nixosUnits } from "./nixosUnits.ts";
