# As much of nixpkgs' lib as nix/ uses, written anew so that modules evaluate where nixpkgs isn't.
# What it says is compared with the real one by `./dev nix goldens` (docs/nixos.md).
let
  inherit (builtins)
    all
    any
    attrNames
    attrValues
    concatLists
    concatStringsSep
    elem
    elemAt
    filter
    foldl'
    functionArgs
    hasAttr
    head
    intersectAttrs
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    map
    mapAttrs
    match
    replaceStrings
    stringLength
    substring
    tail
    toString
    ;

  lib = rec {
    # --- plain functions ---------------------------------------------------------------------
    id = x: x;
    concatMap = f: list: concatLists (map f list);
    concatMapStringsSep = sep: f: list: concatStringsSep sep (map f list);
    concatStrings = concatStringsSep "";
    optional = test: value: if test then [ value ] else [ ];
    optionals = test: list: if test then list else [ ];
    optionalString = test: text: if test then text else "";
    optionalAttrs = test: set: if test then set else { };
    nameValuePair = name: value: { inherit name value; };
    mapAttrs' = f: set: listToAttrs (attrValues (mapAttrs f set));
    mapAttrsToList = f: set: attrValues (mapAttrs f set);
    filterAttrs =
      keep: set:
      listToAttrs (
        concatMap (name: optional (keep name set.${name}) (nameValuePair name set.${name})) (attrNames set)
      );
    genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
    last = list: elemAt list (length list - 1);
    unique = foldl' (seen: each: if elem each seen then seen else seen ++ [ each ]) [ ];
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    hasSuffix =
      suffix: text:
      let
        from = stringLength text - stringLength suffix;
      in
      from >= 0 && substring from (stringLength suffix) text == suffix;
    removePrefix =
      prefix: text:
      if hasPrefix prefix text then substring (stringLength prefix) (stringLength text) text else text;
    splitString = sep: text: filter isString (builtins.split (escapeRegex sep) text);
    escapeRegex = replaceStrings (splitChars ''\[{()^$?*+|.'') (map (c: "\\" + c) (splitChars ''\[{()^$?*+|.''));
    splitChars = text: builtins.genList (index: substring index 1 text) (stringLength text);
    assertMsg = test: message: if test then true else throw message;
    fetchers.proxyImpureEnvVars = [ ];
    inherit (builtins) removeAttrs;
    toInt = text: builtins.fromJSON text;
    inherit (builtins) head foldl' any all filter genList concatStringsSep;
    versionAtLeast = a: b: builtins.compareVersions a b >= 0;
    versionOlder = a: b: builtins.compareVersions a b < 0;
    getName = package: package.pname or (builtins.parseDrvName package.name).name;
    getVersion = package: package.version or (builtins.parseDrvName package.name).version;
    getBin = package: package.bin or package;
    getExe' = package: program: "${getBin package}/bin/${program}";
    escapeShellArg = text: "'" + replaceStrings [ "'" ] [ "'\\''" ] (toString text) + "'";
    attrByPath =
      path: default: set:
      if path == [ ] then
        set
      else if isAttrs set && hasAttr (head path) set then
        attrByPath (tail path) default set.${head path}
      else
        default;
    isDerivation = value: value.type or null == "derivation";
    recursiveUpdate =
      one: other:
      if isAttrs one && isAttrs other && !isDerivation other then
        one // mapAttrs (name: value: if hasAttr name one then recursiveUpdate one.${name} value else value) other
      else
        other;
    licenses.mit = {
      spdxId = "MIT";
      free = true;
    };
    sourceTypes.fromSource = {
      shortName = "fromSource";
    };
    sourceTypes.binaryNativeCode = {
      shortName = "binaryNativeCode";
    };
    literalExpression = text: {
      _type = "literalExpression";
      inherit text;
    };
    makeBinPath = packages: concatMapStringsSep ":" (package: "${package}/bin") packages;
    fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    # --- options and properties --------------------------------------------------------------
    mkOption = attrs: attrs // { _type = "option"; };
    mkEnableOption =
      name:
      mkOption {
        type = types.bool;
        default = false;
        description = "Whether to enable ${name}.";
      };
    mkIf = condition: content: {
      _type = "if";
      inherit condition content;
    };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    mkOverride = priority: content: {
      _type = "override";
      inherit priority content;
    };
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    mkOptionDefault = mkOverride 1500;
    showOption = concatMapStringsSep "." (name: if match "[A-Za-z_][A-Za-z0-9_'-]*" name != null then name else ''"${name}"'');

    # --- modules -----------------------------------------------------------------------------
    evalModules =
      {
        modules,
        specialArgs ? { },
        prefix ? [ ],
      }:
      let
        args = specialArgs // {
          inherit lib config options;
        };
        call =
          f:
          let
            wanted = functionArgs f;
          in
          f (args // mapAttrs (name: _: args.${name} or config._module.args.${name}) wanted);
        load =
          module:
          let
            loaded = if isPath module || isString module then import module else module;
            value = if isFunction loaded then call loaded else loaded;
            key = if isPath module || isString module then toString module else null;
            long = value ? options || value ? config;
            content =
              if long then
                removeAttrs value [
                  "options"
                  "imports"
                  "_file"
                  "key"
                ]
              else
                {
                  config = removeAttrs value [
                    "imports"
                    "_file"
                    "key"
                    "freeformType"
                  ];
                };
          in
          {
            inherit key;
            imports = value.imports or [ ];
            options = value.options or { };
            config = content.config or { };
          };
        collect =
          seen: list:
          foldl' (
            state: module:
            let
              one = load module;
            in
            if one.key != null && elem one.key state.keys then
              state
            else
              let
                inner = collect (state.keys ++ optional (one.key != null) one.key) one.imports;
              in
              {
                keys = inner.keys;
                list = state.list ++ inner.list ++ [ one ];
              }
          ) { keys = seen; list = [ ]; } list;
        base = {
          options._module.args = mkOption {
            type = types.lazyAttrsOf types.raw;
            default = { };
          };
        };
        all' = (collect [ ] ([ base ] ++ modules)).list;
        tree = mergeTree prefix (map (each: each.options) all') (map (each: each.config) all');
        config = mapTree (option: option.value) tree;
        options = tree;
      in
      {
        inherit config options;
      };

    isOption = value: value._type or null == "option";
    mapTree = f: tree: mapAttrs (_: value: if isOption value then f value else mapTree f value) tree;

    # Properties on a set belong to each of its attributes.
    pushDown =
      def:
      let
        type = def._type or null;
      in
      if type == "merge" then
        concatMap pushDown def.contents
      else if type == "if" then
        map (mapAttrs (_: mkIf def.condition)) (pushDown def.content)
      else if type == "override" then
        map (mapAttrs (_: mkOverride def.priority)) (pushDown def.content)
      else
        [ def ];

    mergeTree =
      loc: declarations: definitions:
      let
        defs = concatMap pushDown definitions;
        names = unique (concatMap attrNames declarations);
        unknown = filter (name: !(elem name names)) (concatMap attrNames defs);
        result = genAttrs names (
          name:
          let
            decls = map (each: each.${name}) (filter (hasAttr name) declarations);
            mine = map (each: each.${name}) (filter (hasAttr name) defs);
            place = loc ++ [ name ];
          in
          if isOption (head decls) then evalOption place (head decls) mine else mergeTree place decls mine
        );
        # A definition under a condition that doesn't hold may name what isn't there.
        real = filter (
          name: concatMap discharge (map (each: each.${name}) (filter (hasAttr name) defs)) != [ ]
        ) unknown;
      in
      if real == [ ] then
        result
      else
        throw "The option `${showOption (loc ++ [ (head real) ])}' does not exist.";

    discharge =
      def:
      let
        type = def._type or null;
      in
      if type == "merge" then
        concatMap discharge def.contents
      else if type == "if" then
        optionals def.condition (discharge def.content)
      else if type == "override" then
        map (each: each // { priority = if each.priority == 100 then def.priority else each.priority; }) (
          discharge def.content
        )
      else
        [
          {
            priority = 100;
            value = def;
          }
        ];

    strongest =
      defs:
      let
        least = foldl' (least: each: if each.priority < least then each.priority else least) 9999 defs;
      in
      map (each: each.value) (filter (each: each.priority == least) defs);

    evalOption =
      loc: option: mine:
      let
        given = concatMap discharge mine;
        preset = optional (option ? default && given == [ ]) {
          priority = 1500;
          value = option.default;
        };
        inner = discharge' (given ++ preset);
        discharge' = concatMap (
          each: map (one: if one.priority == 100 then one // { inherit (each) priority; } else one) (discharge each.value)
        );
        values = strongest inner;
        type = option.type or types.raw;
        wrong = filter (value: !(type.check value)) values;
        merged =
          if values == [ ] then
            (type.empty or (
              throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option."
            ))
          else if wrong != [ ] then
            throw "A definition for option `${showOption loc}' is not of type `${type.description}'."
          else if option.readOnly or false && length given > 1 then
            throw "The option `${showOption loc}' is read-only, but it's set multiple times."
          else
            type.merge loc values;
        applied = (option.apply or id) merged;
      in
      option
      // {
        _type = "option";
        inherit loc type;
        value = applied;
        isDefined = given != [ ];
        definitions = map (each: each.value) given;
      };

    # --- types -------------------------------------------------------------------------------
    mkOptionType =
      {
        name,
        description ? name,
        check ? (_: true),
        merge ? mergeEqual,
        getSubOptions ? (_: { }),
        ...
      }@type:
      type
      // {
        _type = "option-type";
        inherit
          name
          description
          check
          merge
          getSubOptions
          ;
      };
    mergeEqual =
      loc: values:
      if all (value: value == head values) values then
        head values
      else
        throw "The option `${showOption loc}' has conflicting definition values.";

    types = rec {
      simple =
        name: check:
        mkOptionType {
          inherit name check;
        };
      raw = simple "raw value" (_: true);
      bool = simple "boolean" isBool;
      int = simple "signed integer" isInt;
      number = simple "signed integer or floating point number" (value: isInt value || isFloat value);
      str = simple "string" isString;
      nonEmptyStr = simple "non-empty string" (value: isString value && match "[ \t\n]*" value == null);
      lines = mkOptionType {
        name = "strings concatenated with \"\\n\"";
        check = isString;
        merge = _: concatStringsSep "\n";
      };
      path = simple "absolute path" (
        value: isPath value || isString value && substring 0 1 value == "/" || isDerivation value
      );
      package = simple "package" isDerivation;
      enum = values: simple "one of ${concatMapStringsSep ", " builtins.toJSON values}" (value: elem value values);
      strMatching =
        pattern: simple "string matching the pattern ${pattern}" (value: isString value && match pattern value != null);
      ints = rec {
        between =
          low: high:
          simple "integer between ${toString low} and ${toString high} (both inclusive)" (
            value: isInt value && value >= low && value <= high
          );
      };
      port = ints.between 0 65535 // {
        description = "16 bit unsigned integer; between 0 and 65535 (both inclusive)";
      };
      addCheck = type: check: type // { check = value: type.check value && check value; };
      nullOr =
        type:
        mkOptionType {
          name = "nullOr";
          description = "null or ${type.description}";
          check = value: value == null || type.check value;
          merge =
            loc: values:
            if all (value: value == null) values then
              null
            else if any (value: value == null) values then
              throw "The option `${showOption loc}` is defined both null and not null."
            else
              type.merge loc values;
          inherit (type) getSubOptions;
        };
      either =
        one: other:
        mkOptionType {
          name = "either";
          description = "${one.description} or ${other.description}";
          check = value: one.check value || other.check value;
          merge =
            loc: values:
            if all one.check values then
              one.merge loc values
            else if all other.check values then
              other.merge loc values
            else
              mergeEqual loc values;
          getSubOptions = place: one.getSubOptions place // other.getSubOptions place;
        };
      oneOf = list: foldl' either (head list) (tail list);
      listOf =
        type:
        mkOptionType {
          name = "listOf";
          description = "list of ${type.description}";
          check = isList;
          empty = [ ];
          merge =
            loc: values:
            map (
              value:
              (evalOption (loc ++ [ "*" ]) (mkOption { inherit type; }) [ value ]).value
            ) (concatLists values);
          getSubOptions = place: type.getSubOptions (place ++ [ "*" ]);
        };
      attrsOf =
        type:
        mkOptionType {
          name = "attrsOf";
          description = "attribute set of ${type.description}";
          check = isAttrs;
          empty = { };
          merge =
            loc: values:
            let
              defs = concatMap pushDown values;
              names = unique (concatMap attrNames defs);
              defined = filter (
                name: concatMap discharge (map (each: each.${name}) (filter (hasAttr name) defs)) != [ ]
              ) names;
            in
            genAttrs defined (
              name:
              (evalOption (loc ++ [ name ]) (mkOption { inherit type; }) (
                map (each: each.${name}) (filter (hasAttr name) defs)
              )).value
            );
          getSubOptions = place: type.getSubOptions (place ++ [ "<name>" ]);
        };
      lazyAttrsOf = attrsOf;
      attrs = attrsOf raw;
      submodule =
        module:
        submoduleWith {
          modules = if isList module then module else [ module ];
        };
      submoduleWith =
        {
          modules,
          specialArgs ? { },
          ...
        }:
        let
          evaluate =
            loc: more:
            evalModules {
              modules = modules ++ more;
              prefix = loc;
              specialArgs = specialArgs // {
                name = last loc;
              };
            };
        in
        mkOptionType {
          name = "submodule";
          description = "submodule";
          check = value: isAttrs value || isFunction value || isPath value;
          empty = { };
          merge = loc: values: removeAttrs (evaluate loc (map (value: if isFunction value then value else { config = value; }) values)).config [ "_module" ];
          getSubOptions = place: removeAttrs (evaluate place [ ]).options [ "_module" ];
        };
      # For options of NixOS that nothing here looks into: sets merge, lists follow each other.
      stub = mkOptionType {
        name = "stub";
        merge =
          loc: values:
          if all (value: isAttrs value && !(isDerivation value)) values then
            (attrsOf stub).merge loc values
          else if all isList values then
            concatLists values
          else if length values > 1 && all isString values && elem (last loc) [ "text" "extraConfig" ] then
            concatStringsSep "\n" values
          else
            mergeEqual loc values;
      };
    };
  };
in
lib
