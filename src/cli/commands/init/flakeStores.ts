import { existsSync } from "node:fs";
import { relative } from "node:path";
import { nixName, nixString } from "../../../targets/index.ts";
import type { AnsweredSecret } from "./Answers.ts";
import { STORES, type StoreKind, type StoreNeed, type StorePlace } from "./stores.ts";

/** A place for secrets that NixOS has when it boots. */
export interface FlakeStore extends StoreKind {
  /** Another flake whose module makes them. */
  readonly input?: { readonly name: string; readonly url: string; readonly module: string };
  /** What that module is told: lines of Nix within a set. */
  readonly tell?: (secrets: readonly AnsweredSecret[], place: StorePlace) => readonly string[];
}

/** Where a machine's own key is, and the one that is staged for it (docs/nixos.md). */
const HOST_KEY = "/etc/ssh/ssh_host_ed25519_key";
const AGE_KEY = "/var/lib/sops-nix/key.txt";

/** Every kind, the usual one first. A new one is an entry here. @param folder of the flake, absolute */
export function flakeStores(folder: string): readonly [FlakeStore, ...FlakeStore[]] {
  const check = (need: StoreNeed, path: string): string | undefined =>
    need === "identity" ? identityFault(path) : insideFault(folder, path);
  const common = STORES.filter(({ name }) => ["file", "systemd"].includes(name));
  return [
    {
      name: "vault",
      title: "Seawall's vault on that machine; you fill it once it runs",
      writes: false,
      needs: [],
      declare: (secret) => ({ vault: secret }),
    },
    {
      name: "agenix",
      title: "agenix: age files in this flake, which are written now",
      writes: true,
      needs: ["folder", "identity"],
      usual: { folder: `${folder}/secrets`, identity: HOST_KEY },
      check,
      declare: (secret) => ({ file: `/run/agenix/${secret}` }),
      input: {
        name: "agenix",
        url: "github:ryantm/agenix",
        module: "agenix.nixosModules.default",
      },
      tell: (secrets, { folder: files = "", identity = "" }) => [
        `age.identityPaths = [ ${nixString(identity)} ];`,
        ...secrets.map(
          ({ name }) =>
            `age.secrets.${nixName(name)}.file = ./${relative(folder, files)}/${name}.age;`,
        ),
      ],
    },
    {
      name: "sops",
      title: "sops-nix: a SOPS file in this flake",
      writes: false,
      needs: ["sops-file", "identity"],
      usual: { "sops-file": `${folder}/secrets.yaml`, identity: AGE_KEY },
      check,
      each: {
        ask: (secret) => `which key in it has the secret of ${secret}?`,
        usual: (secret) => secret,
      },
      declare: (_secret, at) => ({ file: `/run/secrets/${at}` }),
      input: {
        name: "sops-nix",
        url: "github:Mic92/sops-nix",
        module: "sops-nix.nixosModules.sops",
      },
      tell: (secrets, { "sops-file": file = "", identity = "" }) => [
        `sops.defaultSopsFile = ./${relative(folder, file)};`,
        /(?:^|\/)(?:ssh_host_|id_)[a-z0-9_]+$/.test(identity)
          ? `sops.age.sshKeyPaths = [ ${nixString(identity)} ];`
          : `sops.age.keyFile = ${nixString(identity)};`,
        // By the key in the file, which is also the name of what is made of it.
        ...secrets.map(
          ({ declared }) =>
            `sops.secrets.${nixString(String(declared["file"]).slice("/run/secrets/".length))} = { };`,
        ),
      ],
    },
    ...common,
  ];
}

/** It is opened on that machine, when it boots. */
function identityFault(path: string): string | undefined {
  return path.startsWith("/") && !path.startsWith("/nix/store/")
    ? undefined
    : "name its place on that machine, from / on";
}

/** Nix sees what is in the flake's folder alone, and has no path with other characters. */
function insideFault(folder: string, path: string): string | undefined {
  const inside = relative(folder, path);
  if (inside === "" || inside.startsWith(".."))
    return `it has to be in the flake's folder, ${folder}`;
  if (!/^[A-Za-z0-9_][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$/.test(inside))
    return "a path in a flake has letters, digits, and . _ + - alone";
  return existsSync(path) ? undefined : "that isn't there; make it first";
}
