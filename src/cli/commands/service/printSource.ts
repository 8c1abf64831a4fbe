import type { ServiceEntry } from "../../../catalogue/index.ts";

const WIDTH = 100;

/** The file of a service in src/catalogue, formatted as the others are. */
export function printEntry(entry: ServiceEntry, constant: string): string {
  return [
    'import type { ServiceEntry } from "./ServiceEntry.ts";',
    "",
    "/** Described by `seawall service new`; say here where its documentation is, and what was left out and why. */",
    `export const ${constant}: ServiceEntry = ${print(entry, 0, `export const ${constant}: ServiceEntry = `.length)};`,
    "",
  ].join("\n");
}

/** Its test, with a stand-in that takes only the real key. */
export function printTest(entry: ServiceEntry, constant: string): string {
  return [
    'import { test } from "node:test";',
    'import { tryService } from "../broker/testing/tryService.ts";',
    `import { ${constant} } from "./${constant}.ts";`,
    "",
    `test(${JSON.stringify(`${entry.name}: what is allowed arrives with the real key, and nothing else`)}, () =>`,
    `  tryService(${constant}));`,
    "",
  ].join("\n");
}

/** `constant` of a name: `my-service` becomes `myService`. */
export function constantOf(name: string): string {
  return name.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function print(value: unknown, indent: number, before: number): string {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const flat = `[${items.map((each) => flatten(each)).join(", ")}]`;
    // One character for what follows.
    if (before + flat.length < WIDTH) return flat;
    return block(
      "[",
      items.map((each) => print(each, indent + 2, indent + 2)),
      "]",
      indent,
    );
  }
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, each]) => {
      const key = `${keyOf(name)}: `;
      return `${key}${print(each, indent + 2, indent + 2 + key.length)}`;
    });
    return fields.length === 0 ? "{}" : block("{", fields, "}", indent);
  }
  return JSON.stringify(value);
}

function flatten(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, each]) => `${keyOf(name)}: ${flatten(each)}`);
  return `{ ${fields.join(", ")} }`;
}

function block(open: string, lines: readonly string[], close: string, indent: number): string {
  const inner = " ".repeat(indent + 2);
  return [open, ...lines.map((line) => `${inner}${line},`), `${" ".repeat(indent)}${close}`].join(
    "\n",
  );
}

function keyOf(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
}
