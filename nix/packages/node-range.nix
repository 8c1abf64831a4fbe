# Whether a version of Node satisfies `engines.node`, as ">=24.16.0 <25 || >=26.1.0".
{ lib }:
version: range:
let
  holds =
    comparator:
    let
      parts = builtins.match "(>=|<|>|<=|=)?([0-9.]+)" comparator;
      sign = builtins.head parts;
      other = builtins.elemAt parts 1;
      order = builtins.compareVersions version other;
    in
    if parts == null then
      throw "node-range: \"${comparator}\" is no comparison that is known here"
    else
      {
        ">=" = order >= 0;
        ">" = order > 0;
        "<" = order < 0;
        "<=" = order <= 0;
      }
      .${if sign == null then "=" else sign} or (order == 0);
  words = text: builtins.filter (word: word != "") (lib.splitString " " text);
in
lib.any (lib.all holds) (map words (lib.splitString "||" range))
