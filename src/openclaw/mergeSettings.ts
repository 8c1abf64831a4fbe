import type { Json, JsonObject } from "../plan/index.ts";

/**
 * Merges settings deeply: where both sides have an object its members are merged, everywhere else
 * `over` wins. Arrays are replaced, not joined. The result shares nothing that can be changed.
 */
export function mergeSettings(under: JsonObject, over: JsonObject): JsonObject {
  const keys = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries(
    [...keys].map((key): [string, Json] => {
      const below = own(under, key);
      const above = own(over, key);
      if (above === undefined) return [key, below ?? null];
      return [key, isObject(below) && isObject(above) ? mergeSettings(below, above) : above];
    }),
  );
}

/** The value of a key that the object itself has; `__proto__` and the like are ordinary keys. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON with sorted keys and a final newline: equal values give equal bytes (invariant 7). */
export function canonicalJson(value: Json): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => sorted(item));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, Json] => [key, sorted(item)]);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
