{
  description = "One machine for OpenClaw bots";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    # This stands for where you have Seawall from, which a template can't know: say it here, as
    # "path:/home/you/seawall" or "git+https://…". Until then nothing is built.
    seawall.url = "path:/where/you/have/seawall";
    seawall.inputs.nixpkgs.follows = "nixpkgs";
    disko.url = "github:nix-community/disko";
    disko.inputs.nixpkgs.follows = "nixpkgs";
    sops-nix.url = "github:Mic92/sops-nix";
    sops-nix.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    {
      nixpkgs,
      seawall,
      disko,
      sops-nix,
      ...
    }:
    {
      nixosConfigurations.agents = nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          seawall.nixosModules.default
          disko.nixosModules.disko
          sops-nix.nixosModules.sops
          ./host.nix
          ./machine.nix
        ];
      };
    };
}
