import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../../files/index.ts";
import type { StatePaths } from "../../paths/index.ts";
import { makeAgentsFolder } from "../agentsFolder.ts";
import type { Generation } from "../Generation.ts";
import { asDiskError, HostError } from "../HostError.ts";
import { gatewayTokenFile } from "../hostKeys.ts";
import { privateFiles } from "../systemd/privateFiles.ts";
import { usersOf } from "../systemd/usersOf.ts";
import { describedSystem, GENERATION_FILE, MACHINE_FILE } from "./describedSystem.ts";
import { readMachine } from "./MachineDescription.ts";

/**
 * Makes what a described generation can't hold: phantoms, tokens, leaf certificates, the bundle of
 * CAs, users' numbers, and where bots find their agents. Each file appears whole; what is the same already is left as it is. Run as root
 * before the brokers, at each boot and each switch.
 *
 * @param folder of the generation
 * @throws HostError
 */
export async function makePrivate(folder: string, paths: StatePaths): Promise<void> {
  const machine = readMachine(join(folder, MACHINE_FILE));
  const generation = readDescribed(folder);
  const { bots, brokers, gates } = usersOf(generation.plan);
  const place = machine.paths.private;
  const parent = dirname(place);
  if (place !== join(parent, "private"))
    throw new HostError("damaged-state", "the folder of private files has another name", {
      where: place,
      hint: "build the system anew",
    });
  try {
    mkdirSync(place, { recursive: true, mode: 0o711 });
    for (const [bot, file] of Object.entries(machine.tokens)) linkToken(paths, bot, file);
    for (const { name, openclaw } of generation.plan.bots)
      if (openclaw.agents !== undefined) makeAgentsFolder(parent, name);
    const files = await privateFiles({
      generation,
      paths,
      system: describedSystem(machine),
      users: bots,
      before: parent,
    });
    for (const { path, bytes, mode } of files) {
      const file = join(parent, path);
      if (existsSync(file) && readFileSync(file).equals(bytes)) continue;
      mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
      writeFileAtomic(file, bytes, mode);
    }
    for (const [users, name] of [
      [brokers, "broker.json"],
      [gates, "gate.json"],
    ] as const)
      for (const [bot, { uid, gid }] of users) chownSync(join(place, bot, name), uid, gid);
    // What a bot that is no longer there was given, or a gate that is no longer before a bot's browser.
    for (const name of readdirSync(place, { withFileTypes: true }))
      if (name.isDirectory() && !brokers.has(name.name))
        rmSync(join(place, name.name), { recursive: true, force: true });
      else if (name.isDirectory() && !gates.has(name.name))
        rmSync(join(place, name.name, "gate.json"), { force: true });
  } catch (error) {
    throw asDiskError(error, "the private files");
  }
}

/**
 * Has a bot's token be found at another place too. One that lies there from before is taken over,
 * so that who has it can go on using it.
 *
 * @throws HostError `damaged-state` for a token of another form
 */
function linkToken(paths: StatePaths, bot: string, file: string): void {
  const own = gatewayTokenFile(paths, bot);
  const there = lstatSync(file, { throwIfNoEntry: false });
  if (there?.isSymbolicLink() === true && readlinkSync(file) === own) return;
  if (there !== undefined) {
    const token = there.isFile() ? readFileSync(file, "utf8").trim() : "";
    if (!/^[0-9a-f]{64}$/.test(token))
      throw new HostError("damaged-state", "what lies here is no token of Seawall's", {
        where: file,
        hint: "put 64 hexadecimal digits there (openssl rand -hex 32), or remove it and get a new one",
      });
    mkdirSync(dirname(own), { recursive: true, mode: 0o700 });
    writeFileAtomic(own, `${token}\n`, 0o600);
    rmSync(file);
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  symlinkSync(own, file);
}

function readDescribed(folder: string): Generation {
  return JSON.parse(readFileSync(join(folder, GENERATION_FILE), "utf8")) as Generation;
}
