import { nixName, nixString, nixValue } from "./nixText.ts";
import { posixPattern } from "./posixPattern.ts";

/** As much of JSON Schema (draft 2020-12) as the declaration's has. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
}

/** Types that Nix has a better word for, by place; `*` is any name. */
const TYPES: Readonly<Record<string, string>> = {
  "secrets.*.file": "types.outsideStore",
  "secrets.*.identity": "types.outsideStore",
  "secrets.*.encrypted": "types.file",
  "secrets.*.age": "types.file",
  "secrets.*.sops": "types.file",
  // A folder of the flake's, or of the machine's by its whole path.
  "bots.*.agents.template": "lib.types.path",
  "bots.*.agents.shared": "lib.types.path",
  "bots.*.agents.skills": "lib.types.path",
};

/** Options that only Nix has, by the place that they are added to. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  "bots.*.exec": [
    "packages = lib.mkOption {",
    "  type = lib.types.listOf lib.types.package;",
    "  default = [ ];",
    `  description = "Packages whose programs \`allow\` may name; the main program of each, if that is left out.";`,
    "};",
  ],
};

/** Places that are set always: what Nix adds to them has defaults. */
const PLAIN = new Set(Object.keys(ADDED));

/** Required in JSON5; in Nix what is added beside it says it where it is left out. */
const OPTIONAL = new Set(["bots.*.exec.allow"]);

/** Not options: what the module sets itself, and updates, which are by flake there (nix/modules/seawall.nix). */
const LEFT_OUT = new Set(["$schema", "autoUpdate", "seawall"]);

const HEAD = `# Generated from src/declaration by: ./dev nix generate
# A test compares; don't edit.
`;

/** \`nix/generated/options.nix\`: every key of the declaration as an option of \`services.seawall\`. */
export function nixOptions(schema: object): string {
  const root = schema as Schema;
  const options = Object.entries(root.properties ?? {})
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, each]) =>
      option(name, each, root.required?.includes(name) === true && name !== "bots", name, "  "),
    );
  return `${HEAD}{ lib, types }:\n{\n${options.join("\n")}}\n`;
}

function option(
  name: string,
  schema: Schema,
  required: boolean,
  place: string,
  indent: string,
): string {
  const inner = `${indent}  `;
  const plain = PLAIN.has(place);
  const type = typeOf(schema, place, inner);
  const optional = !required && schema.default === undefined && place !== "bots" && !plain;
  const usual = place === "bots" || plain ? "{ }" : optional ? "null" : undefined;
  const preset = schema.default === undefined ? usual : nixValue(schema.default, inner);
  const lines = [
    `type = ${optional ? `lib.types.nullOr ${grouped(type)}` : type};`,
    ...(required || preset === undefined ? [] : [`default = ${preset};`]),
    `description = ${nixString(describe(schema))};`,
  ];
  return `${indent}${nixName(name)} = lib.mkOption {\n${lines.map((line) => `${inner}${line}\n`).join("")}${indent}};\n`;
}

function describe({ description, anyOf, items }: Schema): string {
  return (
    description ?? anyOf?.find((each) => each.description)?.description ?? items?.description ?? ""
  );
}

/** An argument of a function needs parentheses unless it is one word. */
function grouped(type: string): string {
  return /^[\w.]+$/.test(type) ? type : `(${type})`;
}

function typeOf(schema: Schema, place: string, indent: string): string {
  const own = TYPES[place];
  if (own !== undefined) return own;
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return unionOf(alternatives, place, indent);
  if (schema.const !== undefined) return `lib.types.enum ${nixValue([schema.const], indent)}`;
  if (schema.enum !== undefined) return `lib.types.enum ${nixValue(schema.enum, indent)}`;
  switch (schema.type) {
    case "string":
      return stringType(schema);
    case "boolean":
      return "lib.types.bool";
    case "integer": {
      const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema;
      return minimum <= Number.MIN_SAFE_INTEGER || maximum >= Number.MAX_SAFE_INTEGER
        ? "lib.types.int"
        : `lib.types.ints.between ${nixValue(minimum)} ${nixValue(maximum)}`;
    }
    case "number":
      return "lib.types.number";
    case "array":
      return `lib.types.listOf ${grouped(typeOf(schema.items ?? {}, `${place}.*`, indent))}`;
    case "object":
      return objectType(schema, place, indent);
    case undefined:
    default:
      return "types.json";
  }
}

function stringType({ pattern, minLength = 0 }: Schema): string {
  const posix = pattern === undefined ? undefined : posixPattern(pattern);
  if (posix !== undefined) return `lib.types.strMatching ${nixString(posix)}`;
  return minLength > 0 || pattern !== undefined ? "lib.types.nonEmptyStr" : "lib.types.str";
}

function objectType(schema: Schema, place: string, indent: string): string {
  const { properties, required, additionalProperties } = schema;
  if (properties === undefined) {
    return typeof additionalProperties === "object"
      ? `lib.types.attrsOf ${grouped(typeOf(additionalProperties, `${place}.*`, indent))}`
      : "lib.types.attrsOf types.json";
  }
  const inner = `${indent}    `;
  const options = Object.entries(properties).map(([name, each]) =>
    option(
      name,
      each,
      required?.includes(name) === true && !OPTIONAL.has(`${place}.${name}`),
      `${place}.${name}`,
      inner,
    ),
  );
  const added = (ADDED[place] ?? []).map((line) => `${inner}${line}\n`).join("");
  return `lib.types.submodule {\n${indent}  options = {\n${options.join("")}${added}${indent}  };\n${indent}}`;
}

/** \`either\` takes the first that could be meant, so several objects become one with all their keys. */
function unionOf(alternatives: readonly Schema[], place: string, indent: string): string {
  const objects = alternatives.filter(({ properties }) => properties !== undefined);
  const others = alternatives.filter(({ properties }) => properties === undefined);
  const one: readonly Schema[] =
    objects.length < 2
      ? objects
      : [
          {
            type: "object",
            properties: Object.assign({}, ...objects.map(({ properties }) => properties)) as Record<
              string,
              Schema
            >,
          },
        ];
  const types = [
    ...new Set([...others, ...one].map((each) => grouped(typeOf(each, place, `${indent}  `)))),
  ];
  return types.length === 1
    ? (types[0] ?? "").replace(/^\((.*)\)$/s, "$1")
    : `lib.types.oneOf [\n${types.map((type) => `${indent}  ${type}\n`).join("")}${indent}]`;
}
