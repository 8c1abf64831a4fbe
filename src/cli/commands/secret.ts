import {
  createVault,
  locateVault,
  newIdentityPath,
  openVault,
  secretFromInput,
  SecretValue,
  type Vault,
} from "../../secrets/index.ts";
import type { StatePaths } from "../../host/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { askHidden, readAllInput } from "../askHidden.ts";
import { UsageError } from "../UsageError.ts";
import { adoptInstallation } from "./secret/adopt.ts";
import { importSecrets } from "./secret/import.ts";
import { scanSecrets } from "./secret/scan.ts";

export const secret: Command = {
  name: "secret",
  usage: "set NAME | list | rm NAME | scan [PATH…] | import SOURCE | adopt [FOLDER]",
  summary: "store, list, remove, find and migrate secrets",
  help: [
    "set NAME    asks for the value without showing it, or reads it from standard input when that",
    "            is no terminal. The first one makes the vault. A running broker uses a new value",
    "            for the next call.",
    "list        names and dates; never values.",
    "rm NAME     removes a secret for good.",
    "scan        looks for known values, and for what is shaped like a credential, in PATH… or all",
    "            that bots, Seawall and shells write; prints where, never what. Exit 1: found some.",
    "import      takes secrets from a .env file, an OpenClaw folder, or nono's keyring (SOURCE nono).",
    "adopt       makes an OpenClaw installation (~/.openclaw) a bot: its credentials go into the",
    "            vault, phantoms take their places. --undo takes it back.",
  ].join("\n"),
  options: {
    passphrase: {
      type: "boolean",
      help: "when set makes the vault: protect it with a passphrase, asked for at each start",
    },
    redact: { type: "boolean", help: "for scan: overwrite what is found in text files" },
    yes: { type: "boolean", help: "don't ask" },
    "dry-run": { type: "boolean", help: "for import and adopt: only show what would be done" },
    replace: { type: "boolean", help: "for import with --yes: replace values that differ" },
    undo: { type: "boolean", help: "for adopt: put everything back as it was" },
    bot: { type: "string", value: "NAME", help: "for adopt: what the bot is called" },
    file: { type: "string", value: "FILE", help: "the declaration, for scan and adopt" },
  },
  words: { least: 1, most: 1000 },
  run: async (call) => {
    const [verb, name, ...more] = call.words;
    if (verb === "scan") return scanSecrets(call, call.words.slice(1));
    if (verb === "import" && more.length === 0) return importSecrets(call, name);
    if (verb === "adopt" && more.length === 0) return adoptInstallation(call, name);
    if (more.length > 0) throw new UsageError("too many words", "type: seawall secret --help");
    if (verb === "list" && name === undefined) return list(call);
    if (verb === "set" && name !== undefined) return set(call, name);
    if (verb === "rm" && name !== undefined) return remove(call, name);
    throw new UsageError(`usage: seawall secret ${secret.usage}`, "type: seawall secret --help");
  },
};

async function set(call: Call, name: string): Promise<ExitStatus> {
  const vault = await openOrCreate(call);
  const typed = process.stdin.isTTY
    ? Buffer.from(
        await askHidden(`value of "${name}" (not shown): `, "give the value on standard input"),
      )
    : await readAllInput();
  await vault.set(name, secretFromInput(typed));
  if (call.json) call.output.json({ ok: true, name });
  else call.output.line(`stored "${name}"`);
  return 0;
}

async function list(call: Call): Promise<ExitStatus> {
  const located = await locateVault(call.paths.vault.folder);
  const secrets = located.exists ? await (await open(call.paths)).list() : [];
  if (call.json) call.output.json({ secrets });
  else if (secrets.length === 0)
    call.output.line("no secrets yet; store one with: seawall secret set NAME");
  else for (const { name, updated } of secrets) call.output.line(`${name.padEnd(32)}  ${updated}`);
  return 0;
}

async function remove(call: Call, name: string): Promise<ExitStatus> {
  await (await open(call.paths)).rm(name);
  if (call.json) call.output.json({ ok: true, name });
  else call.output.line(`removed "${name}"`);
  return 0;
}

async function openOrCreate(call: Call): Promise<Vault> {
  const { folder, file } = call.paths.vault;
  if ((await locateVault(folder)).exists) return open(call.paths);
  const sealed = call.flag("passphrase");
  const passphrase = sealed ? { passphrase: await newPassphrase() } : {};
  const vault = await createVault({
    file,
    identity: newIdentityPath(folder, sealed),
    ...passphrase,
  });
  call.output.progress(`made the vault at ${file}`);
  return vault;
}

async function open(paths: StatePaths): Promise<Vault> {
  const { file, identity, sealed } = await locateVault(paths.vault.folder);
  const passphrase = sealed
    ? { passphrase: new SecretValue(await askHidden("passphrase of the vault: ")) }
    : {};
  return openVault({ file, identity, ...passphrase });
}

async function newPassphrase(): Promise<SecretValue> {
  const first = await askHidden("new passphrase for the vault: ");
  const second = await askHidden("once more: ");
  if (first !== second || first === "") {
    throw new UsageError("the two passphrases differ or are empty", "try again");
  }
  return new SecretValue(first);
}
