import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { catalogue } from "../catalogue/index.ts";
import {
  checkShape,
  DeclarationError,
  locateFaults,
  readDeclaration,
  type Declaration,
  type Fault,
} from "../declaration/index.ts";
import { checkSettings, listPins } from "../openclaw/index.ts";
import { makePlan, type MintedSecret, type Plan } from "../plan/index.ts";
import { HostError } from "./HostError.ts";

/** A declaration without faults, and the plan it makes. */
export interface LoadedDeclaration {
  /** Absolute. */
  readonly file: string;
  readonly declaration: Declaration;
  readonly plan: Plan;
  /** Makes the error for faults that only show later, at their place in the file. */
  readonly refuse: (faults: readonly Fault[]) => DeclarationError;
}

const NAME = "seawall.json5";
const LARGEST_BYTES = 4 * 1024 * 1024;

/**
 * Reads, checks and plans a declaration.
 *
 * @param file as given; without it `seawall.json5` here or in the configuration folder.
 * @throws DeclarationError with every fault; HostError `no-declaration` or `unreadable-file`.
 */
export function loadDeclaration(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): LoadedDeclaration {
  const path = file === undefined ? findDeclaration(env) : resolve(file);
  const shown = file ?? path;
  return readLoaded(readText(path, shown), path, shown);
}

/**
 * The same for a text that is to become a declaration.
 *
 * @param file absolute; where it is to be.
 */
export function readLoaded(text: string, file: string, shown = file): LoadedDeclaration {
  const { value, faults: readFaults, positions } = readDeclaration(text);
  const refuse = (faults: readonly Fault[]): DeclarationError =>
    new DeclarationError(locateFaults(faults, shown, positions));
  if (value === undefined) throw refuse(readFaults);
  const { declaration, plan, faults } = judge(value);
  const all = [...readFaults, ...faults];
  if (declaration === undefined || plan === undefined || all.length > 0) throw refuse(all);
  return { file, declaration, plan, refuse };
}

/** Everything that is wrong with what a declaration says, whatever file it may stand in. */
export function declarationFaults(value: unknown): readonly Fault[] {
  return judge(value).faults;
}

function judge(value: unknown): {
  readonly declaration?: Declaration;
  readonly plan?: Plan;
  readonly faults: readonly Fault[];
} {
  const { declaration, faults } = checkShape(value);
  if (declaration === undefined) return { faults };
  const { plan, faults: planFaults } = makePlan(declaration, { catalogue, versions: listPins() });
  return {
    declaration,
    ...(plan === undefined ? {} : { plan }),
    faults: [...planFaults, ...settingFaults(plan)],
  };
}

function settingFaults(plan: Plan | undefined): Fault[] {
  return (plan?.bots ?? []).flatMap((bot) =>
    checkSettings(bot).map(({ path, message, hint }) => ({
      code: "loosens-wall" as const,
      path: ["bots", bot.name, "settings", ...path],
      atKey: true,
      message,
      ...(hint === undefined ? {} : { hint }),
    })),
  );
}

function findDeclaration(env: Readonly<Record<string, string | undefined>>): string {
  const root = process.getuid?.() === 0;
  const home = env["HOME"] ?? "/";
  const folders = [
    process.cwd(),
    join(env["XDG_CONFIG_HOME"] ?? join(home, ".config"), "seawall"),
    ...(root ? ["/etc/seawall"] : []),
  ];
  const found = folders.map((folder) => join(folder, NAME)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new HostError("no-declaration", `there is no ${NAME} here`, {
    hint: `make one with: seawall init, or name the file; looked in ${folders.join(", ")}`,
  });
}

function readText(path: string, shown: string): string {
  try {
    const stat = statSync(path);
    if (!stat.isFile() || stat.size > LARGEST_BYTES) {
      throw new HostError("unreadable-file", `"${shown}" is not a declaration`, {
        hint: "name a JSON5 file of at most 4 MB",
      });
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof HostError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new HostError(
      missing ? "no-declaration" : "unreadable-file",
      `"${shown}" ${missing ? "is not there" : "can't be read"}`,
      {
        hint: missing
          ? `make one with: seawall init, or look at the name`
          : "look at its permissions",
        cause: error,
      },
    );
  }
}

/** The CA files that grants name, by bot and grant: PEM text, checked to be that. */
export function readCas(loaded: LoadedDeclaration): Record<string, Record<string, string>> {
  const faults: Fault[] = [];
  const cas = Object.fromEntries(
    loaded.plan.bots.map((bot) => [
      bot.name,
      Object.fromEntries(
        bot.grants.flatMap(({ name, dial }) => {
          const path = ["bots", bot.name, "grants", name, "dial", "ca"];
          return readCa(loaded, dial?.ca, path, faults).map((text) => [name, text]);
        }),
      ),
    ]),
  );
  if (faults.length > 0) throw loaded.refuse(faults);
  return cas;
}

/** The same for the token endpoints of secrets that are made, by secret. */
export function readMintCas(
  loaded: LoadedDeclaration,
  minted: readonly MintedSecret[] = loaded.plan.minted ?? [],
): Record<string, string> {
  const faults: Fault[] = [];
  const cas = minted.flatMap(({ name, mint, dial }) => {
    const within = {
      oauth2: ["oauth2"],
      "google-service-account": [],
      "github-app": ["githubApp"],
    };
    const path = ["secrets", name, ...within[mint.kind], "dial", "ca"];
    return readCa(loaded, dial?.ca, path, faults).map((text) => [name, text] as const);
  });
  if (faults.length > 0) throw loaded.refuse(faults);
  return Object.fromEntries(cas);
}

function readCa(
  { file }: LoadedDeclaration,
  ca: string | undefined,
  path: readonly string[],
  faults: Fault[],
): string[] {
  if (ca === undefined) return [];
  let text = "";
  try {
    text = readFileSync(resolve(dirname(file), ca), "utf8");
  } catch {
    // Reported below like a file without a certificate.
  }
  if (text.includes("-----BEGIN CERTIFICATE-----") && !text.includes("PRIVATE KEY-----"))
    return [text];
  faults.push({
    code: "invalid",
    path,
    message: "this file can't be read as certificates",
    hint: "name a PEM file that holds CA certificates and nothing else, relative to the declaration",
  });
  return [];
}
