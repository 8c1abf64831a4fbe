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

/** Asks which store it is and where; nothing is opened yet. */
export async function chooseStore(
  interview: Interview,
  flags: Flags,
  { domain }: Pick<Answers, "domain">,
): Promise<Pick<ChosenStore, "kind" | "place"> | undefined> {
  const root = process.getuid?.() === 0;
  // With a domain it runs under systemd: root's vault is read there, and no keyring is open at boot.
  const usable = STORES.filter(
    ({ name }) => domain === "" || (name !== "keyring" && (name !== "vault" || root)),
  );
  const [first] = usable;
  const name = await interview.choose(
    {
      flag: "--store",
      ask: "where are the secrets kept?",
      usual: first?.name ?? "",
      options: usable.map((kind) => ({ value: kind.name, label: kind.title })),
      check: (answer) => {
        if (usable.some((kind) => kind.name === answer)) return undefined;
        const there = `there are: ${usable.map((kind) => kind.name).join(", ")}`;
        return STORES.some((kind) => kind.name === answer)
          ? `a bot with a domain runs under systemd, which can't open it${answer === "vault" ? ` unless root does this` : ""}; ${there}`
          : `there is no such store; ${there}`;
      },
    },
    flags.value("store"),
  );
  const kind = STORES.find((each) => each.name === name);
  if (kind === undefined) return undefined;
  const place: Record<string, string> = {};
  for (const need of kind.needs) {
    const usual =
      need === "identity"
        ? root
          ? "/etc/ssh/ssh_host_ed25519_key"
          : "~/.ssh/id_ed25519"
        : undefined;
    const answer = await interview.text(
      {
        flag: `--${need}`,
        ask: NEEDS[need],
        ...(usual === undefined ? {} : { usual }),
        check: (path) => (path === "" ? "that has to be said" : pathFault(path)),
      },
      flags.value(need),
    );
    // A folder is opened now; what the declaration names stays as it was typed, but absolute.
    if (answer !== undefined) place[need] = absolute(answer, need === "folder");
  }
  return { kind, place };
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
  const usual = kind.each?.usual?.(name, entry);
  if (flags.pair("secret-file", name) !== undefined)
    interview.fault(
      `--secret-file ${name}`,
      `Seawall doesn't write to ${kind.title}: say where it is there, with --secret-at ${name}=…`,
    );
  const at = await interview.text(
    {
      flag: `--secret-at ${name}`,
      ask: kind.each?.ask(name) ?? "",
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
