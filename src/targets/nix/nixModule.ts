import { targetFile, type TargetFile } from "../Target.ts";
import { nixValue } from "./nixText.ts";

/**
 * A declaration as a module of NixOS that stands by itself beside Seawall's own: what
 * `seawall build --target nixos` writes. Left out is what a key says anyway where it isn't set.
 */
export function nixModule(declaration: object): TargetFile[] {
  const { secrets, services, bots, approvals, audit, telemetry } = declaration as Record<
    string,
    unknown
  >;
  const said = stripped({ secrets, services, bots, approvals, audit, telemetry });
  const body = nixValue({ services: { seawall: { enable: true, ...(said as object) } } });
  return [targetFile("seawall.nix", `${HEAD}${withPackages(body)}\n`)];
}

const HEAD = `# Written by: seawall build --target nixos
#
# Import it into a configuration that has Seawall's module:
#   modules = [ inputs.seawall.nixosModules.default ./seawall.nix ];
{ pkgs, ... }:

`;

/** Where commands are granted, Nix has to know which packages they are of. */
function withPackages(body: string): string {
  return body.replaceAll(
    /^( *)exec = \{\n/gm,
    (line, indent: string) =>
      `${line}${indent}  # The packages that these are programs of.\n${indent}  packages = with pkgs; [ coreutils gnugrep ];\n`,
  );
}

/** Without empty lists and sets, which are the defaults of the keys that have them. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined && each !== false && !isEmpty(each))
      .map(([name, each]) => [name, stripped(each)]),
  );
}

/** A grant without a word is one all the same. */
function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
