final: _: {
  seawall = final.callPackage ./packages/seawall.nix { };
  openclaw = final.callPackage ./packages/openclaw.nix { };
}
