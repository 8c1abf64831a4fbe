import { targetFile, type TargetFile } from "../Target.ts";
import { NixPlace, nixValue } from "./nixText.ts";

/** What stands round a declaration in its module. */
export interface ModuleFrame {
  readonly path: string;
  /** Remarks before it, each line with its #. */
  readonly head: string;
  /** Further lines of the set that it is. */
  readonly more?: readonly string[];
  /** Packages that granted commands are of, as far as anybody can tell. */
  readonly packages: readonly string[];
}

/** What `seawall build --target nixos` writes. */
const ALONE: ModuleFrame = {
  path: "seawall.nix",
  head: `# Written by: seawall build --target nixos
#
# Import it into a configuration that has Seawall's module:
#   modules = [ inputs.seawall.nixosModules.default ./seawall.nix ];
`,
  packages: ["coreutils", "gnugrep"],
};

/**
 * A declaration as a module of NixOS that stands by itself beside Seawall's own. Left out is what a key
 * says anyway where it isn't set.
 */
export function nixModule(declaration: object, frame: ModuleFrame = ALONE): TargetFile[] {
  const { secrets, services, bots, approvals, audit, telemetry } = declaration as Record<
    string,
    unknown
  >;
  const all = { secrets, services, bots: withPlaces(bots), approvals, audit, telemetry };
  const said = stripped(all);
  const body = nixValue({ services: { seawall: { enable: true, ...(said as object) } } });
  const more = (frame.more ?? []).map((line) => `  ${line}\n`).join("");
  const whole = withPackages(body, frame.packages).replace("{\n", () => `{\n${more}`);
  const pkgs = frame.packages.length === 0 ? "" : "{ pkgs, ... }:\n\n";
  return [targetFile(frame.path, `${frame.head}${pkgs}${whole}\n`)];
}

/** Folders of agents that lie beside the declaration lie beside the module, which brings them to the store. */
function withPlaces(bots: unknown): unknown {
  const placed = ([key, value]: readonly [string, unknown]): [string, unknown] => [
    key,
    FOLDERS.has(key) && typeof value === "string" && !value.startsWith("/")
      ? new NixPlace(value)
      : value,
  ];
  return Object.fromEntries(
    Object.entries((bots ?? {}) as Record<string, { readonly agents?: object }>).map(
      ([name, bot]) => {
        const { agents } = bot;
        if (agents === undefined) return [name, bot];
        return [name, { ...bot, agents: Object.fromEntries(Object.entries(agents).map(placed)) }];
      },
    ),
  );
}

const FOLDERS: ReadonlySet<string> = new Set(["template", "shared", "skills"]);

/** Where commands are granted, Nix has to know which packages they are of. */
function withPackages(body: string, packages: readonly string[]): string {
  if (packages.length === 0) return body;
  const words = `packages = with pkgs; [ ${packages.join(" ")} ];`;
  return body.replaceAll(
    /^( *)(exec\.allow = |exec = \{\n)/gm,
    (line, indent: string, begin: string) =>
      begin === "exec = {\n"
        ? `${line}${indent}  # The packages that these are programs of.\n${indent}  ${words}\n`
        : `${indent}# The packages that these are programs of.\n${indent}exec.${words}\n${line}`,
  );
}

/** Without empty lists and sets, which are the defaults of the keys that have them. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== "object" || value === null || value instanceof NixPlace) return value;
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
