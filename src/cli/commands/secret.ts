import { protectMemory } from "../../secrets/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { STORE_OPTIONS } from "../openStore.ts";
import { UsageError } from "../UsageError.ts";
import { backup, restore } from "./secret/backup.ts";
import { exportTo } from "./secret/exportTo.ts";
import { list } from "./secret/list.ts";
import { refresh } from "./secret/refresh.ts";
import { remove } from "./secret/remove.ts";
import { rotate, set } from "./secret/set.ts";

interface Verb {
  readonly words: "none" | "one" | "some";
  readonly run: (call: Call, words: readonly string[]) => Promise<ExitStatus>;
}

/** Each in a file of its own; a new one is a line here. */
const VERBS: Readonly<Record<string, Verb>> = {
  set: { words: "one", run: set },
  rotate: { words: "one", run: rotate },
  rm: { words: "one", run: remove },
  list: { words: "none", run: list },
  refresh: { words: "none", run: refresh },
  export: { words: "some", run: exportTo },
  backup: { words: "one", run: backup },
  restore: { words: "one", run: restore },
};

export const secret: Command = {
  name: "secret",
  usage: "set NAME | rotate NAME | rm NAME | list | refresh | export | backup | restore",
  summary: "store, list, exchange and remove secrets",
  help: [
    "set NAME       asks for the value without showing it, or reads it from standard input when",
    "               that is no terminal. The first one makes the vault.",
    "rotate NAME    the same for a secret that is there; the new value must be another.",
    "               What runs uses a new value from the next call on, and a call that is under way",
    "               ends with the old one.",
    "rm NAME        removes a secret for good. Calls that need it are refused.",
    "list           names, stores, dates and last uses; never values.",
    "refresh        has the broker read all secrets anew, those of programs and the keyring too.",
    "export NAME…   writes secrets in another program's encrypted form, with --to and --out.",
    "backup FILE    writes the whole vault to one age file, with a passphrase or --recipients.",
    "restore FILE   puts a backup into the vault.",
  ].join("\n"),
  options: {
    ...STORE_OPTIONS,
    to: { type: "string", value: "FORM", help: "export: age, agenix, sops or systemd-creds" },
    out: { type: "string", value: "PATH", help: "export: the folder, for sops the file, to make" },
    recipients: {
      type: "string",
      value: "FILE",
      help: "export, backup: public keys to encrypt for, one a line",
    },
    replace: { type: "boolean", help: "restore: the backup's values in place of the vault's" },
  },
  words: { least: 1, most: 64 },
  run: async (call) => {
    const [verb = "", ...words] = call.words;
    const chosen = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    const fits = { none: words.length === 0, one: words.length === 1, some: words.length > 0 };
    if (chosen === undefined || !fits[chosen.words]) {
      throw new UsageError(`usage: seawall secret ${secret.usage}`, "type: seawall secret --help");
    }
    protectMemory();
    return chosen.run(call, words);
  },
};
