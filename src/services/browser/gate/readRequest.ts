import type { PageRequest } from "../messages.ts";

const MOST_CHARACTERS = 1_000_000;

/** A request as the broker sends it, what isn't said filled in; undefined for one that can't be read. */
export function readRequest(line: string): PageRequest | undefined {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof said !== "object" || said === null) return undefined;
  const { operation, url, wait, links, mostCharacters, fullPage, width, height } = said as Partial<
    Record<keyof PageRequest, unknown>
  >;
  if ((operation !== "fetch" && operation !== "screenshot") || typeof url !== "string")
    return undefined;
  return {
    operation,
    url,
    wait: wait === "load" ? "load" : "idle",
    links: links === true,
    mostCharacters: within(mostCharacters, 1, MOST_CHARACTERS, 100_000),
    fullPage: fullPage === true,
    width: within(width, 100, 3840, 1280),
    height: within(height, 100, 2160, 800),
  };
}

function within(value: unknown, least: number, most: number, usual: number): number {
  if (!Number.isSafeInteger(value)) return usual;
  return Math.min(most, Math.max(least, Number(value)));
}
