import { accessSync, constants, existsSync, lstatSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
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
import { UsageError } from "../UsageError.ts";
import type { Answers } from "./init/Answers.ts";
import { collectAnswers } from "./init/collectAnswers.ts";
import { chooseStore, collectSecrets, type ChosenStore } from "./init/collectSecrets.ts";
import { printDeclaration } from "./init/composeDeclaration.ts";
import { declarationTarget } from "./init/declarationTarget.ts";
import { Dialogue } from "./init/Dialogue.ts";
import { Flags } from "./init/Flags.ts";
import { flakeTarget } from "./init/flakeTarget.ts";
import type { InitMaker, InitTarget } from "./init/InitTarget.ts";
import { Interview } from "./init/Interview.ts";
import { STORES } from "./init/stores.ts";
import { alreadyThere, onDisk, writeAnswers, type NewFile } from "./init/writeAnswers.ts";

export const init: Command = {
  name: "init",
  usage: "[FILE] | --flake [DIR]",
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
    "",
    "With --flake it writes a flake for a machine of NixOS into the folder DIR or this one, which must",
    "have none: flake.nix, bots.nix and, unless it is there, configuration.nix (docs/nixos.md).",
  ].join("\n"),
  options: {
    flake: {
      type: "boolean",
      help: "a flake for a machine of NixOS, not a declaration for this one",
    },
    host: {
      type: "string",
      value: "NAME",
      help: "with --flake: what the machine is called; agents",
    },
    system: {
      type: "string",
      value: "NAME",
      help: "with --flake: x86_64-linux or aarch64-linux; what this machine is",
    },
    seawall: { type: "string", value: "FLAKE", help: "with --flake: where it has Seawall from" },
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
      help: `where secrets are kept: ${STORES.map(({ name }) => name).join(", ")}; with --flake vault, agenix, sops, file, systemd`,
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
    folder: { type: "string", value: "DIR", help: "of age files, for --store age or agenix" },
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
  const target = targetOf(call);
  const { file } = target;
  const dry = call.flag("dry-run");
  // Before anybody types what then has nowhere to go.
  const there = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  if (there && !target.replace && !dry) throw alreadyThere(file);
  const place = target.folder !== undefined && !existsSync(target.folder) ? target.folder : file;
  if (!dry) onDisk(place, () => accessSync(dirname(place), constants.W_OK));
  const flags = new Flags(call);
  const asks = Dialogue.possible && !call.json && !call.flag("yes");
  if (existsSync(join(homedir(), ".openclaw", "openclaw.json")))
    call.output.progress(
      "there is an OpenClaw in ~/.openclaw: seawall secret adopt makes it a bot, keys and all (docs/adopt.md)",
    );
  const collected = await collect(call, flags, target, asks);
  if (collected === undefined) return 1;
  const { answers, chosen, files, maker } = collected;
  const values = new Map(
    answers.secrets.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );
  const { folder, replace } = target;
  const where = folder === undefined ? {} : { folder };
  const open = (): Promise<WritableStore> => openToWrite(call, chosen);
  if (!dry) await writeAnswers({ files, ...where, replace, values, open });
  const stored = [...values.keys()];
  const { command: next, remarks } = maker.next(answers, chosen);
  if (call.json) {
    const secrets = answers.secrets.map(({ name, declared }) => ({
      name,
      declared,
      stored: values.has(name) && !dry,
    }));
    const text = files.at(-1)?.text;
    const more = files.length === 1 ? {} : { files };
    const made = { ok: true, file, written: !dry, bot: answers.bot, secrets, text, ...more, next };
    call.output.json(made);
    return 0;
  }
  if (dry) {
    call.output.line(shownFiles(files).trimEnd());
    if (stored.length > 0)
      call.output.progress(`would be stored (${chosen.kind.name}): ${stored.join(", ")}`);
    return 0;
  }
  if (stored.length > 0)
    call.output.line(`stored in the ${chosen.kind.name}: ${stored.join(", ")}`);
  for (const { path } of files) call.output.line(`wrote ${path}`);
  for (const remark of remarks) call.output.line(remark);
  call.output.line(`next: ${next}`);
  return 0;
}

/** @throws UsageError for flags that don't go together, SetupError `exists` */
function targetOf(call: Call): InitTarget {
  const [name] = call.words;
  if (!call.flag("flake")) {
    const alone = ["host", "system", "seawall"].find((flag) => call.value(flag) !== undefined);
    if (alone !== undefined)
      throw new UsageError(`--${alone} goes with --flake only`, "leave it out, or add --flake");
    return declarationTarget(name, call.flag("force"));
  }
  if (call.flag("force"))
    throw new UsageError("a flake that is there is never replaced", "leave --force out");
  if (call.flag("passphrase"))
    throw new UsageError(
      "a vault with a passphrase can't be opened when the machine boots",
      "leave --passphrase out",
    );
  return flakeTarget(name);
}

/** One text as it is; of several each below its name. */
function shownFiles(files: readonly NewFile[]): string {
  return files.length === 1
    ? files.map(({ text }) => text).join("")
    : files.map(({ path, text }) => `# --- ${basename(path)}\n${text}`).join("\n");
}

interface Collected {
  readonly answers: Answers;
  readonly chosen: ChosenStore;
  readonly files: readonly NewFile[];
  readonly maker: InitMaker;
}

/** @returns undefined when the person doesn't want it written after all. */
async function collect(
  call: Call,
  flags: Flags,
  target: InitTarget,
  asks: boolean,
): Promise<Collected | undefined> {
  await using dialogue = asks ? await Dialogue.open() : undefined;
  const interview = new Interview(dialogue);
  const maker = await target.ask(interview, flags);
  const most = await collectAnswers(interview, flags);
  const offered = target.stores(most);
  const store = await chooseStore(interview, flags, offered);
  const chosen = {
    kind: store?.kind ?? offered.kinds[0],
    place: store?.place ?? {},
    ...(store === undefined ? {} : await lookInto(call, store, dialogue)),
  };
  const secrets = await collectSecrets(interview, flags, most, chosen);
  for (const unused of flags.unused()) interview.fault(unused, "nothing asks for that");
  interview.end();
  const answers: Answers = { ...most, secrets };
  // Whatever a single answer doesn't show is refused here, before anything is written.
  readLoaded(printDeclaration(answers), target.file);
  const files = maker.files(answers, chosen);
  if (dialogue !== undefined && !call.flag("dry-run")) {
    for (const { path, text } of files) call.output.progress(`\n${path}:\n\n${text}`);
    const count = secrets.filter(({ value }) => value !== undefined).length;
    const what = files.length === 1 ? "it" : "them";
    const also = count === 0 ? "" : ` and store ${countOf(count, "secret")}`;
    if (!(await dialogue.agree(`write ${what}${also}?`))) {
      call.output.progress("nothing was written");
      return undefined;
    }
  }
  return { answers, chosen, files, maker };
}

/** The store, if it is there already; of a vault that isn't, the passphrase that it is to have. */
async function lookInto(
  call: Call,
  { kind, place }: Pick<ChosenStore, "kind" | "place">,
  dialogue: Dialogue | undefined,
): Promise<Pick<ChosenStore, "store" | "passphrase">> {
  const ask =
    dialogue === undefined ? undefined : (text: string) => dialogue.hidden(text, () => undefined);
  // Nothing is there to be opened, or nobody said where, which the interview knows.
  if (!kind.writes || kind.needs.some((need) => place[need] === undefined)) return {};
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
    case "agenix":
      return { store: await openWritableStore({ store: "age", folder: place.folder ?? "" }) };
    default:
      return {};
  }
}

async function openToWrite(call: Call, { store, passphrase }: ChosenStore): Promise<WritableStore> {
  return store ?? (await makeVault(call, passphrase));
}
