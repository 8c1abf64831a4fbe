import { join } from "node:path";
import type { ServiceEntry } from "../../../catalogue/index.ts";

/** A place where secrets can be kept, as `seawall init` offers it. */
export interface StoreKind {
  readonly name: string;
  readonly title: string;
  /** Whether Seawall puts the values there; else another program has. */
  readonly writes: boolean;
  /** What has to be said of the place itself, once for all secrets. */
  readonly needs: readonly StoreNeed[];
  /** What these are if nobody says, and why a path can't be one. */
  readonly usual?: StorePlace;
  readonly check?: (need: StoreNeed, path: string) => string | undefined;
  /** What has to be said of each secret, where its name alone doesn't say it. */
  readonly each?: {
    readonly ask: (secret: string) => string;
    readonly usual?: (secret: string, service: ServiceEntry) => string;
  };
  /** What stands under `secrets`. `at` is the answer to `each`. */
  readonly declare: (secret: string, at: string, place: StorePlace) => Record<string, unknown>;
}

export type StoreNeed = "folder" | "identity" | "sops-file";

export type StorePlace = Readonly<Partial<Record<StoreNeed, string>>>;

/** How each is asked for. */
export const NEEDS: Readonly<Record<StoreNeed, string>> = {
  folder: "which folder are the age files in? it has a recipients.txt",
  "sops-file": "which SOPS file are they in?",
  identity: "which age identity or SSH key opens them?",
};

/** Every kind, the usual one first. A new one is an entry here. */
export const STORES: readonly [StoreKind, ...StoreKind[]] = [
  {
    name: "vault",
    title: "Seawall's vault, encrypted with age",
    writes: true,
    needs: [],
    declare: (secret) => ({ vault: secret }),
  },
  {
    name: "keyring",
    title: "the desktop's keyring",
    writes: true,
    needs: [],
    declare: (secret) => ({ keyring: secret }),
  },
  {
    name: "age",
    title: "age files, as agenix has them",
    writes: true,
    needs: ["folder", "identity"],
    declare: (secret, _at, { folder = "", identity = "" }) => ({
      age: join(folder, `${secret}.age`),
      identity,
    }),
  },
  {
    name: "file",
    title: "plain files, as agenix and sops-nix make them at run time",
    writes: false,
    needs: [],
    each: {
      ask: (secret) => `which file has the secret of ${secret}?`,
      usual: (secret) => `/run/secrets/${secret}`,
    },
    declare: (_secret, at) => ({ file: at }),
  },
  {
    name: "sops",
    title: "a SOPS file",
    writes: false,
    needs: ["sops-file", "identity"],
    each: {
      ask: (secret) => `which key in it has the secret of ${secret}?`,
      usual: (secret) => secret,
    },
    declare: (_secret, at, { identity = "", ...place }) => ({
      sops: place["sops-file"] ?? "",
      key: at,
      identity,
    }),
  },
  {
    name: "systemd",
    title: "credentials of systemd",
    writes: false,
    needs: [],
    each: {
      ask: (secret) => `which credential has the secret of ${secret}?`,
      usual: (secret) => secret,
    },
    declare: (_secret, at) => ({ systemdCredential: at }),
  },
  {
    name: "1password",
    title: "1Password, by its command op",
    writes: false,
    needs: [],
    each: { ask: (secret) => `where is the secret of ${secret}, as op://bots/${secret}/key?` },
    declare: (_secret, at) => ({ exec: ["op", "read", at] }),
  },
  {
    name: "pass",
    title: "pass, the standard Unix password manager",
    writes: false,
    needs: [],
    each: {
      ask: (secret) => `which entry has the secret of ${secret}?`,
      usual: (secret) => `bots/${secret}`,
    },
    declare: (_secret, at) => ({ exec: ["pass", "show", at] }),
  },
  {
    name: "env",
    title: "variables of the environment (the worst place)",
    writes: false,
    needs: [],
    each: {
      ask: (secret) => `which variable has the secret of ${secret}?`,
      usual: (secret, { variable }) => variable ?? secret.toUpperCase().replaceAll("-", "_"),
    },
    declare: (_secret, at) => ({ env: at }),
  },
];
