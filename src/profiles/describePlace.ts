import { readFileSync } from "node:fs";
import { describeOrigin, formatPath } from "./makePolicy.ts";
import type { Origin } from "./Profile.ts";

/** Where a rule stands, with line and column where it stands in a file: `FILE:3:5 (filesystem.read[0])`. */
export async function describePlace(origin: Origin): Promise<string> {
  if (origin.kind !== "profile" && origin.kind !== "declaration") return describeOrigin(origin);
  const { file, path } = origin;
  if (file === undefined) return describeOrigin(origin);
  try {
    const { readDeclaration } = await import("../declaration/index.ts");
    const { line, column } = readDeclaration(readFileSync(file, "utf8")).positions.value(path);
    return `${file}:${line}:${column} (${formatPath(path)})`;
  } catch {
    // The file went away meanwhile.
    return describeOrigin(origin);
  }
}
