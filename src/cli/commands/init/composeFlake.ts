import { nixModule, nixName, nixString } from "../../../targets/index.ts";
import type { Answers } from "./Answers.ts";
import { composeDeclaration } from "./composeDeclaration.ts";
import type { FlakeStore } from "./flakeStores.ts";
import type { StorePlace } from "./stores.ts";

/** What a machine of NixOS takes besides its bot. */
export interface FlakeAnswers {
  readonly host: string;
  /** As `x86_64-linux`. */
  readonly system: string;
  /** Where the flake has Seawall from, as Nix names flakes. */
  readonly seawall: string;
}

/**
 * The files of a flake by name, `flake.nix` the last. Pure.
 *
 * @param configured whether the folder has the machine's own `configuration.nix`.
 */
export function composeFlake(
  answers: Answers,
  machine: FlakeAnswers,
  store: FlakeStore,
  place: StorePlace,
  configured: boolean,
): readonly (readonly [name: string, text: string])[] {
  return [
    ...(configured ? [] : [["configuration.nix", CONFIGURATION] as const]),
    ["bots.nix", botsModule(answers, store, place)],
    ["flake.nix", flakeText(machine, answers.secrets.length === 0 ? undefined : store.input)],
  ];
}

/** A machine as the NixOS manual has it partitioned ("Installing"): by labels, with UEFI. */
export const CONFIGURATION = `# Written by: seawall init --flake. It stands for a machine that isn't known yet, so that all of this
# evaluates: put the machine's own configuration.nix and hardware-configuration.nix in its place. As it is,
# nobody can log in.
{
  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/boot";
    fsType = "vfat";
    options = [ "umask=0077" ];
  };
  system.stateVersion = "25.11";
}
`;

function botsModule(answers: Answers, store: FlakeStore, place: StorePlace): string {
  const { secrets } = answers;
  const vault = secrets.filter(({ declared }) => declared["vault"] !== undefined);
  const head = [
    "# Written by: seawall init --flake. Yours to change; docs/nixos-options.md says what else can be said.",
    ...(vault.length === 0 ? [] : ["#", "# The secrets are stored on the machine, once it runs:"]),
    ...vault.map(({ name }) => `#   ${storeCommand(name)}`),
    "",
  ].join("\n");
  const [file] = nixModule(composeDeclaration(answers), {
    path: "bots.nix",
    head,
    more: secrets.length === 0 ? [] : (store.tell?.(secrets, place) ?? []),
    // What is granted here are commands of Seawall's own, which no package gives.
    packages: [],
  });
  return Buffer.from(file?.bytes ?? "").toString();
}

/** How a secret of the vault gets there. */
export function storeCommand(secret: string): string {
  return `sudo seawall secret set ${secret}`;
}

function flakeText({ host, system, seawall }: FlakeAnswers, other: FlakeStore["input"]): string {
  const also =
    other === undefined
      ? []
      : [
          `    ${other.name}.url = ${nixString(other.url)};`,
          `    ${other.name}.inputs.nixpkgs.follows = "nixpkgs";`,
        ];
  return [
    "# Written by: seawall init --flake. Yours to change.",
    "{",
    `  description = ${nixString(`${host}, with OpenClaw bots that hold none of their owner's keys`)};`,
    "",
    "  inputs = {",
    '    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";',
    `    seawall.url = ${nixString(seawall)};`,
    '    seawall.inputs.nixpkgs.follows = "nixpkgs";',
    ...also,
    "  };",
    "",
    "  outputs =",
    `    { nixpkgs, seawall, ${other === undefined ? "" : `${other.name}, `}... }:`,
    "    {",
    `      nixosConfigurations.${nixName(host)} = nixpkgs.lib.nixosSystem {`,
    `        system = ${nixString(system)};`,
    "        modules = [",
    "          seawall.nixosModules.default",
    ...(other === undefined ? [] : [`          ${other.module}`]),
    "          ./configuration.nix",
    "          ./bots.nix",
    `          { networking.hostName = nixpkgs.lib.mkDefault ${nixString(host)}; }`,
    "        ];",
    "      };",
    "    };",
    "}",
    "",
  ].join("\n");
}
