import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Field, Place } from "../Field.ts";

/** Keys as an owner has them, with markers in them. */
const KEYS = [
  ".ssh/id_ed25519",
  ".aws/credentials",
  ".gnupg/private-keys-v1.d/0.key",
  ".netrc",
  ".config/gh/hosts.yml",
];

/** What runs later, by kind, below an owner's home. */
const PLACES = {
  shell: [".bashrc", ".profile", ".bash_profile", ".zshrc", "project/.envrc"],
  cron: ["cron.d/job"],
  units: [".config/systemd/user/job.service"],
  hooks: ["project/.git/hooks/pre-commit", "project/.git/config", ".gitconfig"],
  editor: ["project/.vscode/tasks.json", "project/.claude/settings.json", ".claude/settings.json"],
  desktop: [".config/autostart/job.desktop"],
  keys: [".ssh/authorized_keys", ".ssh/config"],
} as const;

/** The same of the machine and of whoever runs this; only opened. */
const REAL: Readonly<Record<string, readonly string[]>> = {
  cron: ["/etc/cron.d", "/etc/crontab", "/var/spool/cron/crontabs"],
  units: ["/etc/systemd/system", "/run/systemd/system"],
  system: [
    "/etc/passwd",
    "/etc/ld.so.cache",
    "/etc/profile.d",
    "/usr/bin",
    "/usr/lib",
    "/usr/local/bin",
  ],
};

/** A deployment as a person's own Seawall keeps one. */
const DEPLOYMENT = ".local/state/seawall";
const DECLARATION = ".config/seawall/seawall.json5";

/** What is planted, as seen by the attackers. */
export interface Planted {
  /** The owner's home. */
  readonly home: string;
  /** A repository in it. */
  readonly project: string;
  readonly owner: readonly string[];
  readonly neighbour: string;
  readonly deployment: {
    readonly secrets: Pick<Field["secrets"], "vault" | "authority" | "deployment">;
    readonly places: Pick<Field["places"], "declaration" | "deployment" | "record">;
  };
  readonly places: Pick<
    Field["places"],
    "shell" | "cron" | "units" | "hooks" | "editor" | "desktop" | "keys" | "system"
  >;
}

/**
 * Makes a home with keys and configuration below `folder`. Everybody may read the keys and write the
 * rest, so that whatever holds isn't the permissions of files.
 */
export function plantFiles(folder: string, marker: string): Planted {
  const home = join(folder, "home");
  const project = join(home, "project");
  const plant = (path: string, text: string, mode: number): string => {
    const file = join(folder, path);
    mkdirOpen(folder, dirname(path));
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };
  const owner = KEYS.map((path) => plant(`home/${path}`, `secret = ${marker}\n`, 0o644));
  const secret = (path: string): string =>
    plant(`home/${DEPLOYMENT}/${path}`, `secret = ${marker}\n`, 0o644);
  const open = (path: string): Place => ({
    path: plant(`home/${path}`, "# nothing yet\n", 0o666),
    planted: true,
  });
  const place = (kind: keyof typeof PLACES): Place[] => [
    ...PLACES[kind].map(open),
    ...PLACES[kind]
      .map((path) => ({ path: join(homedir(), path), planted: false }))
      .filter(isThere),
    ...(REAL[kind] ?? []).map((path) => ({ path, planted: false })).filter(isThere),
  ];
  plant("home/project/.git/HEAD", "ref: refs/heads/main\n", 0o666);
  mkdirOpen(folder, "home/project/.git/objects");
  mkdirOpen(folder, "home/project/.git/refs");
  return {
    home,
    project,
    owner,
    deployment: {
      secrets: {
        vault: [secret("vault/vault.key"), secret("vault/vault.age")],
        authority: [secret("authority/ca.key")],
        deployment: [secret("phantom.key"), secret("audit.key"), secret("tokens/bot")],
      },
      places: {
        declaration: [open(DECLARATION)],
        deployment: [open(`${DEPLOYMENT}/generations/1/generation.json`)],
        record: [open(`${DEPLOYMENT}/audit/audit.jsonl`)],
      },
    },
    neighbour: plant("neighbour/memory.md", `${marker}\n`, 0o644),
    places: {
      shell: place("shell"),
      cron: place("cron"),
      units: place("units"),
      hooks: place("hooks"),
      editor: place("editor"),
      desktop: place("desktop"),
      keys: place("keys"),
      system: (REAL["system"] ?? []).map((path) => ({ path, planted: false })).filter(isThere),
    },
  };
}

function isThere({ path }: Place): boolean {
  return existsSync(path);
}

/** Makes folders below `root` that everybody may use. */
function mkdirOpen(root: string, path: string): void {
  let at = root;
  for (const name of path.split("/")) {
    at = join(at, name);
    if (existsSync(at)) continue;
    mkdirSync(at);
    chmodSync(at, 0o777);
  }
}

/** Every file below a folder, at most so many. */
export function filesBelow(folder: string, most = 50): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .slice(0, most);
}
