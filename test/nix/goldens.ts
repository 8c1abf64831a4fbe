import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nixValue } from "../../src/targets/index.ts";
import { evaluate, FOLDER, inputsHash, namesIn, normalised } from "./evaluate.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/start.cjs");

/**
 * Writes what real nixpkgs makes of each configuration, for the test to compare ours with. Called by
 * `./dev nix goldens NIXPKGS=FOLDER [NIX=PROGRAM]`: nixpkgs as a folder, and a Nix that is new enough for
 * it (2.18) where the machine's isn't.
 */
const given = new Map(
  process.argv.slice(2).map((word) => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)] as const;
  }),
);
const nixpkgs = given.get("NIXPKGS");
if (nixpkgs === undefined) throw new Error("say where nixpkgs is: NIXPKGS=FOLDER");
const nix = given.get("NIX");
const program: readonly [string, ...string[]] = [
  ...(nix === undefined ? [] : [nix]),
  "nix-instantiate",
  "--store",
  "dummy://",
] as unknown as [string, ...string[]];

/** Evaluated with modules of others, where they are given by folder: AGENIX, SOPS, DISKO, HOME_MANAGER. */
const others = JSON.stringify(Object.fromEntries(given));

/** One part of it, with ONLY=configurations, refused or further. */
const wanted = (part: string): boolean => (given.get("ONLY") ?? part) === part;

const real = `import ${FOLDER}/evaluateReal.nix { nixpkgs = ${nixpkgs}; }`;
const report = (text: string, ok: boolean): void => {
  process.stdout.write(`${text}\n`);
  if (!ok) process.exitCode = 1;
};

/** What nixpkgs makes of each, and that a whole system comes of it. */
function writeGoldens(): void {
  mkdirSync(join(FOLDER, "goldens"), { recursive: true });
  for (const name of namesIn("configurations")) {
    const facts = evaluate(`(${real} ${FOLDER}/configurations/${name}.nix).facts`, program);
    if (!facts.ok) throw new Error(`${name}: ${facts.error.slice(-2000)}`);
    const golden = { inputs: inputsHash(), facts: JSON.parse(normalised(facts.out)) as unknown };
    writeFileSync(join(FOLDER, "goldens", `${name}.json`), `${JSON.stringify(golden, null, 2)}\n`);
    const system = evaluate(
      `(${real} ${FOLDER}/configurations/${name}.nix).toplevel.drvPath`,
      program,
    );
    const toplevel = system.ok ? "evaluates" : system.error.slice(-1500);
    report(`${name}: facts written; toplevel ${toplevel}`, system.ok);
  }
}

/** That nixpkgs refuses what is to be refused, and says so. */
function tryRefused(): void {
  const modules = ["AGENIX", "SOPS"].flatMap((name) => {
    const folder = given.get(name);
    return folder === undefined
      ? []
      : [`(import ${folder}/modules/${name === "AGENIX" ? "age.nix" : "sops"})`];
  });
  const all = `import ${FOLDER}/evaluateReal.nix { nixpkgs = ${nixpkgs ?? ""}; extra = [ ${modules.join(" ")} ]; }`;
  for (const name of namesIn("refused")) {
    const file = join(FOLDER, "refused", `${name}.nix`);
    const message = /^# refused: (.+)\n/.exec(readFileSync(file, "utf8"))?.[1] ?? "";
    const failed = evaluate(`(${all} ${file}).facts.failed`, program);
    const said = failed.ok ? (JSON.parse(failed.out) as string[]).join("\n") : failed.error;
    const whole = said.includes(message)
      ? said
      : evaluate(`(${all} ${file}).facts.declaration`, program).error;
    const refused = whole.includes(message);
    report(
      `${name}: ${refused ? "refused" : `NOT refused as it should be: ${whole.slice(-600)}`}`,
      refused,
    );
  }
}

/** That home-manager has an agent for launchd, for both kinds of Mac, and refuses a bot that wants namespaces. */
function tryMac(homeManager: string): void {
  for (const system of ["aarch64-darwin", "x86_64-darwin"]) {
    const all = (concessions: string): string => `(import ${FOLDER}/homeManager.nix {
      nixpkgs = ${nixpkgs ?? ""};
      folder = ${homeManager};
      system = "${system}";
      concessions = [ ${concessions} ];
    })`;
    const agent = evaluate(
      `${all('"no-user-namespaces"')}.launchd.agents.seawall.config.ProgramArguments`,
      program,
    );
    const words = agent.ok
      ? (JSON.parse(agent.out) as string[]).join(" ")
      : agent.error.slice(-600);
    report(
      `home-manager on ${system}: ${words}`,
      / up --stay \/nix\/store\/\S+-seawall\.json5(?: |$)/.test(words),
    );
    const { error } = evaluate(`${all("")}.home.activationPackage.drvPath`, program);
    const refused = error.includes("concessions: macOS has no user namespaces");
    report(
      `home-manager on ${system}, with namespaces: ${refused ? "refused" : error.slice(-600)}`,
      refused,
    );
  }
}

/** What `seawall init --flake` writes, for each place of secrets whose module is given. */
function writeFlakes(folder: string): Readonly<Record<string, string>> {
  const flakes: Record<string, string> = {};
  const write = (name: string, flags: readonly string[], input = ""): void => {
    const place = join(folder, name);
    execFileSync(
      process.execPath,
      [MAIN, "init", "--flake", place, "--provider", "anthropic", "--store", name, ...flags],
      { env: { HOME: folder, SEAWALL_STATE: join(folder, "state"), PATH: "/usr/bin:/bin" }, input },
    );
    flakes[name] = place;
  };
  for (const name of ["vault", "agenix", "sops"]) mkdirSync(join(folder, name));
  write(
    "vault",
    "--services browser-fetch --set browser-fetch.allowHosts=*.wikipedia.org".split(" "),
  );
  if (given.has("AGENIX")) {
    const secrets = join(folder, "agenix/secrets");
    mkdirSync(secrets);
    writeFileSync(
      join(secrets, "recipients.txt"),
      "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n",
    );
    write("agenix", ["--secret-file", "anthropic=-"], "any-key");
  }
  if (given.has("SOPS")) {
    writeFileSync(join(folder, "sops/secrets.yaml"), "anthropic: ENC[]\nsops: {}\n");
    write("sops", []);
  }
  return flakes;
}

function evaluateFurther(): void {
  const folder = mkdtempSync(join(tmpdir(), "seawall-goldens-"));
  try {
    const flakes = JSON.stringify(writeFlakes(folder));
    const further = evaluate(
      `import ${FOLDER}/further.nix {
        nixpkgs = ${nixpkgs ?? ""};
        given = builtins.fromJSON ${nixValue(others)};
        flakes = builtins.fromJSON ${nixValue(flakes)};
      }`,
      program,
    );
    report(further.ok ? further.out : further.error.slice(-2000), further.ok);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (wanted("configurations")) writeGoldens();
if (wanted("refused")) {
  tryRefused();
  const homeManager = given.get("HOME_MANAGER");
  if (homeManager !== undefined) tryMac(homeManager);
}
if (wanted("further")) evaluateFurther();
