# Every option of the modules, as data for docs/nixos-options.md.
let
  lib = import ./lib.nix;
  nixos = import ./nixos.nix { inherit lib; };
  evaluated = lib.evalModules {
    modules = [
      nixos.module
      ../../nix/modules
    ];
    specialArgs = {
      inherit (nixos) pkgs;
    };
  };
  collect =
    tree:
    lib.concatMap (
      name:
      let
        option = tree.${name};
      in
      if option._type or null == "option" then
        (if option.internal or false then [ ] else [ (describe option) ])
        ++ collect (option.type.getSubOptions option.loc)
      else
        collect option
    ) (builtins.attrNames tree);
  describe =
    option:
    {
      name = builtins.concatStringsSep "." option.loc;
      inherit (option) description;
      type = option.type.description;
    }
    // (
      if option ? defaultText then
        { default = option.defaultText.text; }
      else if option ? default then
        { value = option.default; }
      else
        { }
    );
in
collect {
  inherit (evaluated.options.services) openclaw seawall;
}
