# Types that nixpkgs' lib has no word for.
{ lib }:
let
  inherit (lib) types;
in
rec {
  # Data and nothing else: a path literal would be copied into the store.
  json =
    types.nullOr (
      types.oneOf [
        types.bool
        types.number
        types.str
        (types.listOf json)
        (types.attrsOf json)
      ]
    )
    // {
      description = "JSON value";
      getSubOptions = _: { };
    };

  # Where a secret is at run time. Everybody can read the store.
  outsideStore = types.addCheck types.str (
    value: lib.hasPrefix "/" value && !(lib.hasPrefix builtins.storeDir value)
  )
  // {
    name = "outsideStore";
    description = "path of a file outside of the Nix store, as a string (a path literal would be copied into the store, for everybody to read)";
  };

  # A file that may be in the store: it is encrypted, or no secret.
  file = types.either types.path types.str;
}
