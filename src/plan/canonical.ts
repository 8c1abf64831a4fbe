import type { EntryJson } from "../catalogue/index.ts";
import type { Json } from "./Plan.ts";

/** The same value with the keys of every object in order (invariant 7). */
export function canonical(value: EntryJson): Json {
  if (Array.isArray(value)) return (value as readonly EntryJson[]).map(canonical);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, canonical(child)]),
  );
}
