import { accessSync, constants, existsSync, lstatSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { readLoaded } from "../../host/index.ts";
import {
  locateVault,
  openWritableStore,
  protectMemory,
  type WritableStore,
} from "../../secrets/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { countOf } from "../countOf.ts";
import { askNewPassphrase, makeVault, openExistingVault } from "../openStore.ts";
import type { Answers } from "./init/Answers.ts";
import { collectAnswers } from "./init/collectAnswers.ts";
import { chooseStore, collectSecrets, type ChosenStore } from "./init/collectSecrets.ts";
import { printDeclaration } from "./init/composeDeclaration.ts";
import { Dialogue } from "./init/Dialogue.ts";
import { Flags } from "./init/Flags.ts";
import { Interview } from "./init/Interview.ts";
import { STORES } from "./init/stores.ts";
import { alreadyThere, onDisk, writeAnswers } from "./init/writeAnswers.ts";

const FILE = "seawall.json5";

export const init: Command = {
  name: "init",
  usage: "[FILE]",
  summary: "quick set-up: asks, stores the secrets, writes a declaration that works",
  help: [
    "Asks what a bot needs, stores its secrets and writes seawall.json5 here, or FILE. Every question",
    "is a flag, too: what a flag answers isn't asked, and without a terminal nothing is. Nothing is",
    "written before the last answer; stopped before it, nothing has changed.",
    "",
    "Secrets are typed without being shown, or read from files and standard input, never from",
    "arguments. What the store has already is used.",
    "",
    "  seawall init --provider anthropic --secret-file anthropic=- < key.txt",
    "  seawall init --provider anthropic --channels telegram --set telegram.allowFrom=123456 \\",
    "    --store file --secret-at telegram=/run/agenix/telegram",
  ].join("\n"),
  options: {
    bot: { type: "string", value: "NAME", help: "what the bot is called; basecamp" },
    provider: { type: "string", value: "NAME", help: "whose model it thinks with, as anthropic" },
    model: { type: "string", value: "NAME", help: "which of its models" },
    channels: {
      type: "string",
      value: "LIST",
      help: "by which people talk to it, with commas, as telegram,discord; none",
    },
    services: {
      type: "string",
      value: "LIST",
      help: "what else it may use (seawall service list), as github,brave; none",
    },
    set: {
      type: "string",
      value: "SERVICE.KEY=VALUE",
      multiple: true,
      help: "what else a grant says: url, server, allowFrom, allowHosts",
    },
    domain: {
      type: "string",
      value: "NAME",
      help: "at which it is reached from outside, under systemd; only from this machine",
    },
    store: {
      type: "string",
      value: "STORE",
      help: `where secrets are kept: ${STORES.map(({ name }) => name).join(", ")}`,
    },
    "secret-file": {
      type: "string",
      value: "NAME=FILE",
      multiple: true,
      help: "a secret to be stored; - is standard input",
    },
    "secret-at": {
      type: "string",
      value: "NAME=PLACE",
      multiple: true,
      help: "where another program keeps it: a path, a variable, a key …",
    },
    folder: { type: "string", value: "DIR", help: "of age files, for --store age" },
    identity: { type: "string", value: "FILE", help: "that opens age and SOPS files" },
    "sops-file": { type: "string", value: "FILE", help: "for --store sops" },
    passphrase: {
      type: "boolean",
      help: "when this makes the vault: protect it with a passphrase, asked at each start",
    },
    replace: { type: "boolean", help: "new values in place of those that the store has" },
    force: { type: "boolean", help: "replace the declaration that is there" },
    yes: { type: "boolean", help: "don't ask: what no flag says is the usual" },
    "dry-run": { type: "boolean", help: "only show what would be written" },
  },
  words: { least: 0, most: 1 },
  run,
};

async function run(call: Call): Promise<ExitStatus> {
  protectMemory();
  const file = resolve(call.words[0] ?? FILE);
  const dry = call.flag("dry-run");
  // Before anybody types what then has nowhere to go.
  const there = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  if (there && !call.flag("force") && !dry) throw alreadyThere(file);
  if (!dry) onDisk(file, () => accessSync(dirname(file), constants.W_OK));
  const flags = new Flags(call);
  const asks = Dialogue.possible && !call.json && !call.flag("yes");
  if (existsSync(join(homedir(), ".openclaw", "openclaw.json")))
    call.output.progress(
      "there is an OpenClaw in ~/.openclaw: seawall secret adopt makes it a bot, keys and all (docs/adopt.md)",
    );
  const collected = await collect(call, flags, file, asks);
  if (collected === undefined) return 1;
  const { answers, chosen, text } = collected;
  const values = new Map(
    answers.secrets.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );
  if (!dry)
    await writeAnswers({
      file,
      text,
      replace: call.flag("force"),
      values,
      open: () => openToWrite(call, chosen),
    });
  const stored = [...values.keys()];
  const next = nextCommand(answers, file);
  if (call.json) {
    const secrets = answers.secrets.map(({ name, declared }) => ({
      name,
      declared,
      stored: values.has(name) && !dry,
    }));
    call.output.json({ ok: true, file, written: !dry, bot: answers.bot, secrets, text, next });
    return 0;
  }
  if (dry) {
    call.output.line(text.trimEnd());
    if (stored.length > 0)
      call.output.progress(`would be stored (${chosen.kind.name}): ${stored.join(", ")}`);
    return 0;
  }
  if (stored.length > 0)
    call.output.line(`stored in the ${chosen.kind.name}: ${stored.join(", ")}`);
  call.output.line(`wrote ${file}`);
  call.output.line(`next: ${next}`);
  return 0;
}

/** @returns undefined when the person doesn't want it written after all. */
async function collect(
  call: Call,
  flags: Flags,
  file: string,
  asks: boolean,
): Promise<
  { readonly answers: Answers; readonly chosen: ChosenStore; readonly text: string } | undefined
> {
  await using dialogue = asks ? await Dialogue.open() : undefined;
  const interview = new Interview(dialogue);
  const most = await collectAnswers(interview, flags);
  const store = await chooseStore(interview, flags, most);
  const kind = store?.kind ?? STORES[0];
  if (kind === undefined) throw new TypeError("there is no store");
  const chosen = {
    kind,
    place: store?.place ?? {},
    ...(store === undefined ? {} : await lookInto(call, store, dialogue)),
  };
  const secrets = await collectSecrets(interview, flags, most, chosen);
  for (const unused of flags.unused()) interview.fault(unused, "nothing asks for that");
  interview.end();
  const answers: Answers = { ...most, secrets };
  const text = printDeclaration(answers);
  // Whatever a single answer doesn't show is refused here, before anything is written.
  readLoaded(text, file);
  if (dialogue !== undefined && !call.flag("dry-run")) {
    call.output.progress(`\n${file}:\n\n${text}`);
    const count = secrets.filter(({ value }) => value !== undefined).length;
    const also = count === 0 ? "" : ` and store ${countOf(count, "secret")}`;
    if (!(await dialogue.agree(`write it${also}?`))) {
      call.output.progress("nothing was written");
      return undefined;
    }
  }
  return { answers, chosen, text };
}

/** The store, if it is there already; of a vault that isn't, the passphrase that it is to have. */
async function lookInto(
  call: Call,
  { kind, place }: Pick<ChosenStore, "kind" | "place">,
  dialogue: Dialogue | undefined,
): Promise<Pick<ChosenStore, "store" | "passphrase">> {
  const ask =
    dialogue === undefined ? undefined : (text: string) => dialogue.hidden(text, () => undefined);
  switch (kind.name) {
    case "vault": {
      if ((await locateVault(call.paths.vault.folder)).exists)
        return { store: await openExistingVault(call, ask) };
      return call.flag("passphrase") && !call.flag("dry-run")
        ? { passphrase: await askNewPassphrase("the vault", ask) }
        : {};
    }
    case "keyring":
      return { store: await openWritableStore({ store: "keyring" }) };
    case "age":
      return { store: await openWritableStore({ store: "age", folder: place.folder ?? "" }) };
    default:
      return {};
  }
}

async function openToWrite(call: Call, { store, passphrase }: ChosenStore): Promise<WritableStore> {
  return store ?? (await makeVault(call, passphrase));
}

/** The one command that comes next. */
function nextCommand({ domain }: Answers, file: string): string {
  const verb =
    domain === ""
      ? "seawall up"
      : process.getuid?.() === 0
        ? "seawall switch"
        : "sudo seawall switch";
  return file === resolve(FILE) ? verb : `${verb} ${quote(file)}`;
}

function quote(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
