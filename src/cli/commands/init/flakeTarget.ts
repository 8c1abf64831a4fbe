import { existsSync, lstatSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { PROJECT } from "../../../host/index.ts";
import { CONFIGURATION, composeFlake, storeCommand, type FlakeAnswers } from "./composeFlake.ts";
import type { Flags } from "./Flags.ts";
import { flakeStores, type FlakeStore } from "./flakeStores.ts";
import type { InitMaker, InitTarget } from "./InitTarget.ts";
import type { Interview } from "./Interview.ts";
import { quoteWord } from "./quoteWord.ts";
import { alreadyThere } from "./writeAnswers.ts";

const SYSTEMS = ["x86_64-linux", "aarch64-linux"] as const;

/** As NixOS's option networking.hostName takes one. */
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;

/**
 * The flake of a machine of NixOS, with a bot, in a folder that has none yet.
 *
 * @throws SetupError `exists` where another one's files are in the way.
 */
export function flakeTarget(name: string | undefined): InitTarget {
  const folder = resolve(name ?? ".");
  const bots = join(folder, "bots.nix");
  if (isOthers(bots, "# Written by: seawall init --flake")) throw alreadyThere(bots);
  const stores = flakeStores(folder);
  return {
    file: join(folder, "flake.nix"),
    folder,
    replace: false,
    stores: () => ({
      kinds: stores,
      refuse: () => "nothing reads that when a machine of NixOS boots",
    }),
    ask: async (interview, flags) => makerOf(folder, stores, await askMachine(interview, flags)),
  };
}

async function askMachine(interview: Interview, flags: Flags): Promise<FlakeAnswers> {
  const host = await interview.text(
    {
      flag: "--host",
      ask: "what is the machine called?",
      usual: usualHost(),
      check: (answer) =>
        HOST.test(answer) ? undefined : "a host name is 1 to 63 letters, digits and hyphens",
    },
    flags.value("host"),
  );
  const usual = ownFlake();
  const seawall = await interview.text(
    {
      flag: "--seawall",
      ask: "which flake is Seawall, as github:owner/name or path:/home/you/seawall?",
      ...(usual === undefined ? {} : { usual }),
      check: flakeFault,
    },
    flags.value("seawall"),
  );
  const system =
    flags.value("system") ?? `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux`;
  if (!SYSTEMS.some((each) => each === system))
    interview.fault("--system", `Seawall runs on ${SYSTEMS.join(" and ")}`);
  return { host: host ?? "", system, seawall: seawall ?? "" };
}

/** What this machine is called, where it runs NixOS. */
function usualHost(): string {
  return existsSync("/etc/NIXOS") && HOST.test(hostname()) ? hostname() : "agents";
}

/** This Seawall, where it is a flake that stays: what is in the Nix store is collected some day. */
function ownFlake(): string | undefined {
  if (PROJECT.startsWith("/nix/store/") || !existsSync(join(PROJECT, "flake.nix")))
    return undefined;
  const { href, pathname } = pathToFileURL(PROJECT);
  // Git's has what is committed, and not node_modules.
  return existsSync(join(PROJECT, ".git")) ? `git+${href}` : `path:${pathname}`;
}

/** Nix manual, "Flake references". A password in one would be in the store, for everybody to read. */
function flakeFault(text: string): string | undefined {
  if (/:\/\/[^/]*@/.test(text))
    return "leave out who logs in there; everybody can read the Nix store";
  return /^(?:(?:github|gitlab|sourcehut|path|flake):|(?:git|tarball|hg)\+(?:https?|ssh|file):|https:)[\x21-\x7e]+$/.test(
    text,
  )
    ? undefined
    : "name a flake as github:owner/name, git+https://…, or path:/home/you/seawall";
}

function makerOf(folder: string, stores: readonly FlakeStore[], machine: FlakeAnswers): InitMaker {
  // One that a run left which was killed is not the machine's.
  const configured = isOthers(join(folder, "configuration.nix"), CONFIGURATION);
  return {
    files: (answers, { kind, place }) => {
      const store = stores.find(({ name }) => name === kind.name);
      if (store === undefined) throw new TypeError(`no machine has the store ${kind.name}`);
      return composeFlake(answers, machine, store, place, configured).map(([name, text]) => ({
        path: join(folder, name),
        text,
      }));
    },
    next: ({ secrets }, { kind, place }) => {
      const later = kind.name === "vault" ? secrets.map(({ name }) => storeCommand(name)) : [];
      const files = [
        "flake.nix",
        "bots.nix",
        ...(configured ? [] : ["configuration.nix"]),
        ...(place.folder === undefined ? [] : [relative(folder, place.folder)]),
        ...(place["sops-file"] === undefined ? [] : [relative(folder, place["sops-file"])]),
      ];
      return {
        command: `${tracked(folder, files)}${rebuild(folder, machine.host, configured)}`,
        remarks: [
          ...(configured
            ? []
            : [
                "configuration.nix stands for a machine that isn't known yet: put the machine's own in its place",
              ]),
          ...(later.length === 0 ? [] : [`once it runs, on that machine: ${later.join("; ")}`]),
        ],
      };
    },
  };
}

/** Whether something is there that doesn't begin with this text. */
function isOthers(path: string, text: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  return !stat.isFile() || !readFileSync(path, "utf8").startsWith(text);
}

/** In a repository Nix sees what Git knows of (Nix manual, `nix flake`), if only that it will be added. */
function tracked(folder: string, files: readonly string[]): string {
  let place = folder;
  while (!existsSync(join(place, ".git")))
    if (place === dirname(place)) return "";
    else place = dirname(place);
  const at = folder === process.cwd() ? "" : `-C ${quoteWord(folder)} `;
  return `git ${at}add -N ${files.map(quoteWord).join(" ")} && `;
}

function rebuild(folder: string, host: string, configured: boolean): string {
  const flake = quoteWord(folder === process.cwd() ? `.#${host}` : `${folder}#${host}`);
  const root = process.getuid?.() === 0 ? "" : "sudo ";
  return configured
    ? `${root}nixos-rebuild switch --flake ${flake}`
    : `nixos-rebuild build --flake ${flake}`;
}
