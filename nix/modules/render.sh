# In the derivation: all that a machine is told, or why it can't be. Nothing is asked of the network.
cp "$declarationPath" seawall.json5
export HOME=$PWD/home SEAWALL_STATE=$PWD/state
seawall build --target systemd --machine "$machinePath" --out generation seawall.json5
mkdir -p "$out/lib/systemd" "$out/lib/tmpfiles.d"
mv generation/units "$out/lib/systemd/system"
mv generation/tmpfiles.conf "$out/lib/tmpfiles.d/seawall.conf"
mv generation "$out/generation"
