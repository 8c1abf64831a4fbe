import type { ServiceEntry } from "../catalogue/index.ts";
import type { Fault } from "../declaration/index.ts";
import { resolveService } from "./resolveServices.ts";

/** What is wrong with an entry of the catalogue, before anybody is granted it. */
export function checkService(entry: ServiceEntry): readonly Fault[] {
  const faults: Fault[] = [];
  resolveService(entry, ["catalogue", entry.name], faults);
  return faults;
}
