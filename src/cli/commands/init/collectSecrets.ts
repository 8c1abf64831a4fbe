import { homedir } from "node:os";
import { resolve } from "node:path";
import { catalogue, type ServiceEntry } from "../../../catalogue/index.ts";
import { secretFromInput, type SecretValue, type WritableStore } from "../../../secrets/index.ts";
import type { AnsweredSecret, Answers } from "./Answers.ts";
import { faultAt } from "./collectAnswers.ts";
import type { Flags } from "./Flags.ts";
import type { Interview } from "./Interview.ts";
import { secretFault } from "./secretFault.ts";
import { takesSecret } from "./services.ts";
import { NEEDS, STORES, type StoreKind, type StorePlace } from "./stores.ts";

/** Where the secrets will be, and what has been found of them there. */
export interface ChosenStore {
  readonly kind: StoreKind;
  readonly place: StorePlace;
  /** The store, if Seawall writes to it and it is there already. */
  readonly store?: WritableStore;
  /** Protects a vault that is to be made. */
  readonly passphrase?: SecretValue;
}

/** The stores that the secrets may be in, the usual one first, and why another can't be one. */
export interface OfferedStores {
  readonly kinds: readonly [StoreKind, ...StoreKind[]];
  readonly refuse: (name: string) => string;
}

/** Those of this machine's bots. */
export function ownStores({ domain }: Pick<Answers, "domain">): OfferedStores {
  const root = process.getuid?.() === 0;
  // With a domain it runs under systemd: root's vault is read there, and no keyring is open at boot.
  const usable = (kind: StoreKind): boolean =>
    domain === "" || (kind.name !== "keyring" && (kind.name !== "vault" || root));
  const [first, ...others] = STORES.filter(usable);
  if (first === undefined) throw new TypeError("there is no store");
  return {
    kinds: [first, ...others],
    refuse: (name) =>
      STORES.some((kind) => kind.name === name)
        ? `a bot with a domain runs under systemd, which can't open it${name === "vault" ? ` unless root does this` : ""}`
        : "there is no such store",
  };
}

/** Asks which store it is and where; nothing is opened yet. */
export async function chooseStore(
  interview: Interview,
  flags: Flags,
  { kinds, refuse }: OfferedStores,
): Promise<Pick<ChosenStore, "kind" | "place"> | undefined> {
  const name = await interview.choose(
    {
      flag: "--store",
      ask: "where are the secrets kept?",
      usual: kinds[0].name,
      options: kinds.map((kind) => ({ value: kind.name, label: kind.title })),
      check: (answer) =>
        kinds.some((kind) => kind.name === answer)
          ? undefined
          : `${refuse(answer)}; there are: ${kinds.map((kind) => kind.name).join(", ")}`,
    },
    flags.value("store"),
  );
  const kind = kinds.find((each) => each.name === name);
  if (kind === undefined) return undefined;
  const place: Record<string, string> = {};
  for (const need of kind.needs) {
    const usual = kind.usual?.[need] ?? (need === "identity" ? usualIdentity() : undefined);
    const answer = await interview.text(
      {
        flag: `--${need}`,
        ask: NEEDS[need],
        ...(usual === undefined ? {} : { usual }),
        check: (path) =>
          path === ""
            ? "that has to be said"
            : (pathFault(path) ?? kind.check?.(need, absolute(path, need === "folder"))),
      },
      flags.value(need),
    );
    // A folder is opened now; what the declaration names stays as it was typed, but absolute.
    if (answer !== undefined) place[need] = absolute(answer, need === "folder");
  }
  return { kind, place };
}

function usualIdentity(): string {
  return process.getuid?.() === 0 ? "/etc/ssh/ssh_host_ed25519_key" : "~/.ssh/id_ed25519";
}

/** Gets each secret that a grant needs, or where it is. */
export async function collectSecrets(
  interview: Interview,
  flags: Flags,
  answers: Omit<Answers, "secrets">,
  chosen: ChosenStore,
): Promise<readonly AnsweredSecret[]> {
  const there = new Set((await chosen.store?.list())?.map(({ name }) => name));
  const secrets: AnsweredSecret[] = [];
  for (const { service } of answers.grants) {
    const entry = catalogue.get(service);
    if (entry === undefined || !takesSecret(entry)) continue;
    secrets.push(
      chosen.kind.writes
        ? await askValue(interview, flags, entry, chosen, there)
        : await askPlace(interview, flags, entry, chosen),
    );
  }
  return secrets;
}

async function askValue(
  interview: Interview,
  flags: Flags,
  entry: ServiceEntry,
  { kind, place, store }: ChosenStore,
  there: ReadonlySet<string>,
): Promise<AnsweredSecret> {
  const { name } = entry;
  const secret = { name, declared: kind.declare(name, "", place) };
  const flag = `--secret-file ${name}`;
  const bytes = await flags.readSecret(name);
  if (bytes !== undefined) {
    const fault = secretFault(entry, textOf(bytes));
    if (fault !== undefined) {
      interview.fault(flag, fault);
      return secret;
    }
    const value = secretFromInput(bytes);
    // The same one again is what a run left that was cut short.
    if (!there.has(name)) return { ...secret, value };
    if (store !== undefined && (await hasValue(store, name, value))) return secret;
    if (flags.flag("replace")) return { ...secret, value };
    interview.fault(
      flag,
      `the ${kind.name} has "${name}" already, with another value: leave the flag out to use that one, or add --replace`,
    );
    return secret;
  }
  const { dialogue } = interview;
  if (there.has(name) && (dialogue === undefined || !flags.flag("replace"))) {
    if (dialogue === undefined) return secret;
    const what = await dialogue.choose({
      flag,
      ask: `the ${kind.name} has "${name}" already`,
      usual: "keep",
      options: [
        { value: "keep", label: "use that one" },
        { value: "replace", label: "type another one in its place" },
      ],
      check: () => undefined,
    });
    if (what === "keep") return secret;
  }
  if (dialogue === undefined) {
    interview.lacks(`${flag}=FILE`);
    return secret;
  }
  const typed = await dialogue.hidden(`the secret of ${entry.title}`, (text) =>
    secretFault(entry, text.trim()),
  );
  return { ...secret, value: secretFromInput(Buffer.from(typed.trim())) };
}

async function askPlace(
  interview: Interview,
  flags: Flags,
  entry: ServiceEntry,
  { kind, place }: ChosenStore,
): Promise<AnsweredSecret> {
  const { name } = entry;
  if (flags.pair("secret-file", name) !== undefined)
    interview.fault(
      `--secret-file ${name}`,
      kind.each === undefined
        ? `it is stored on that machine, once it runs: sudo seawall secret set ${name}`
        : `Seawall doesn't write to ${kind.title}: say where it is there, with --secret-at ${name}=…`,
    );
  if (kind.each === undefined) return { name, declared: kind.declare(name, "", place) };
  const usual = kind.each.usual?.(name, entry);
  const at = await interview.text(
    {
      flag: `--secret-at ${name}`,
      ask: kind.each.ask(name),
      ...(usual === undefined ? {} : { usual }),
      check: (answer) => {
        if (answer === "") return "that has to be said";
        const secrets = [{ name, declared: kind.declare(name, answer, place) }];
        const grants = [{ service: name, details: {} }];
        return faultAt({ bot: "basecamp", model: "ollama/any", domain: "", grants, secrets }, [
          "secrets",
          name,
        ]);
      },
    },
    flags.pair("secret-at", name),
  );
  return { name, declared: kind.declare(name, at ?? "", place) };
}

/** Whether the store has this value; where it can't be read, nobody knows, which is no. */
async function hasValue(store: WritableStore, name: string, value: SecretValue): Promise<boolean> {
  return store.read(name).then(
    (old) => old.equals(value),
    () => false,
  );
}

/** As `secretFromInput` takes it. */
function textOf(bytes: Buffer): string {
  return bytes.toString("utf8").replace(/\r?\n$/, "");
}

function pathFault(path: string): string | undefined {
  return /^\P{Cc}{1,1024}$/u.test(path) ? undefined : "that is no path";
}

/** Paths in a declaration may begin with `~/`. */
function absolute(path: string, open: boolean): string {
  if (!path.startsWith("~/")) return resolve(path);
  return open ? resolve(homedir(), path.slice(2)) : path;
}
