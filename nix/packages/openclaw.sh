#!@shell@
# What nix-env installs is in no configuration, and no rollback of the system takes it back.
case $0 in
  */.nix-profile/* | */profiles/per-user/*/profile/* | /nix/var/nix/profiles/default/* | */.local/state/nix/profile/*)
    printf '%s\n' \
      'error: this OpenClaw was installed with nix-env or nix profile' \
      '  hint: remove it (nix-env -e openclaw), and declare services.openclaw.enable = true;' >&2
    exit 1
    ;;
esac
exec @node@ @entry@ "$@"
