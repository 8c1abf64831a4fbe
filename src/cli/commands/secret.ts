import { protectMemory } from "../../secrets/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { STORE_OPTIONS } from "../openStore.ts";
import { UsageError } from "../UsageError.ts";
import { adoptInstallation } from "./secret/adopt.ts";
import { backup, restore } from "./secret/backup.ts";
import { exportTo } from "./secret/exportTo.ts";
import { importSecrets } from "./secret/import.ts";
import { list } from "./secret/list.ts";
import { refresh } from "./secret/refresh.ts";
import { remove } from "./secret/remove.ts";
import { scanSecrets } from "./secret/scan.ts";
import { rotate, set } from "./secret/set.ts";

interface Verb {
  readonly words: "none" | "one" | "one-or-none" | "some" | "any";
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
  scan: { words: "any", run: scanSecrets },
  import: { words: "one", run: importSecrets },
  adopt: { words: "one-or-none", run: adoptInstallation },
};

export const secret: Command = {
  name: "secret",
  usage:
    "set NAME | rotate NAME | rm NAME | list | refresh | export NAME… | backup FILE | restore FILE | scan [PATH…] | import SOURCE | adopt [FOLDER]",
  summary: "store, list, exchange, find and migrate secrets",
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
    "scan PATH…     looks for known values and what is shaped like a credential, without PATH in all",
    "               that bots, Seawall and shells write. Prints where, never what; exit 1: found some.",
    "import SOURCE  copies values from a .env file, an OpenClaw folder or nono's keyring (nono).",
    "adopt FOLDER   makes an OpenClaw installation (~/.openclaw) a bot: its credentials go into the",
    "               vault, phantoms take their places. --undo puts everything back.",
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
    replace: {
      type: "boolean",
      help: "restore, import with --yes: new values in place of the vault's",
    },
    redact: { type: "boolean", help: "scan: overwrite what is found in text files" },
    yes: { type: "boolean", help: "scan, import, adopt: don't ask" },
    "dry-run": { type: "boolean", help: "import, adopt: only show what would be done" },
    undo: { type: "boolean", help: "adopt: put everything back as it was" },
    bot: { type: "string", value: "NAME", help: "adopt: what the bot is called" },
    file: { type: "string", value: "FILE", help: "scan, adopt: the declaration" },
  },
  words: { least: 1, most: 1000 },
  run: async (call) => {
    const [verb = "", ...words] = call.words;
    const chosen = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    const { length } = words;
    const fits = {
      none: length === 0,
      one: length === 1,
      "one-or-none": length <= 1,
      some: length > 0,
      any: true,
    };
    if (chosen === undefined || !fits[chosen.words]) {
      throw new UsageError(`usage: seawall secret ${secret.usage}`, "type: seawall secret --help");
    }
    protectMemory();
    return chosen.run(call, words);
  },
};
