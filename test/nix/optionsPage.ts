import { nixValue } from "../../src/targets/index.ts";
import { evaluate, FOLDER } from "./evaluate.ts";

interface Option {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  /** Nix text, or else data. */
  readonly default?: string;
  readonly value?: unknown;
}

const HEAD = `# Options for NixOS

Made from the modules by \`./dev nix generate\`; a test compares. [nixos.md](nixos.md) says how to use
them, [declaration.md](declaration.md) what the keys of \`services.seawall\` mean: they are the same.
`;

/** \`docs/nixos-options.md\`: every option, with its type and what it is where it isn't set. */
export function optionsPage(): string {
  const { ok, out, error } = evaluate(`import ${FOLDER}/options.nix`);
  if (!ok) throw new Error(error);
  const options = JSON.parse(out) as readonly Option[];
  return [HEAD, ...options.map(entry)].join("\n");
}

function entry(option: Option): string {
  const { name, description, type, value } = option;
  const usual =
    option.default ?? ("value" in option ? nixValue(value).replaceAll(/\s+/g, " ") : undefined);
  return [
    `## \`${name}\``,
    "",
    ...(description === "" ? [] : [description, ""]),
    `Type: ${type.replaceAll(/[\\`*_[\]<>(]/g, String.raw`\$&`)}${usual === undefined ? "" : `; default: \`${usual}\``}`,
    "",
  ].join("\n");
}
