{
  imports = [
    ./seawall.nix
    ./openclaw.nix
  ];
}
