import { closeSync, constants, fstatSync, opendirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { OpenClawError } from "./OpenClawError.ts";
import type { InsidePaths } from "./ownedSettings.ts";
import type { PinFile } from "./Pin.ts";

/** A command to run inside a wall that reaches the npm registry and has `npm` in PATH. */
export interface PluginInstall {
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Writes the throwaway configuration and becomes OpenClaw. With plugins switched off in it, what was installed
 * is recorded as before and not loaded to be looked at, which was a third of the time (2026.9.6).
 */
const WITHOUT_LOADING = `
  require("node:fs").writeFileSync(process.env.OPENCLAW_CONFIG_PATH, '{"plugins":{"enabled":false}}');
  process.execve(process.execPath, process.argv, process.env);`;

/**
 * How a pinned channel plugin gets into a bot's state so that OpenClaw trusts it: through OpenClaw's
 * own `plugins install` from npm, which records it in the state database. Copied files or tarballs
 * are loaded too, but not trusted (docs/openclaw.md).
 *
 * Run it inside a wall of its own before the gateway starts, with the same paths as the bot's: the
 * plugin gets a link to OpenClaw's absolute path, and the record names absolute paths. The
 * configuration it writes to is a throwaway in the home folder; the bot's own stays untouched.
 * Only needed when {@link hasPlugin} says no.
 *
 * @throws OpenClawError `plugin` when the pin has no version of it.
 */
export function pluginInstall(plugin: string, inside: InsidePaths, pin: PinFile): PluginInstall {
  const { version } = pinned(plugin, pin);
  return {
    command: [
      inside.node,
      "-e",
      WITHOUT_LOADING,
      join(inside.openclaw, pin.entry),
      "plugins",
      "install",
      `npm:${plugin}@${version}`,
      "--pin",
      "--force",
    ],
    environment: {
      DO_NOT_TRACK: "1",
      HOME: inside.home,
      LANG: "C.UTF-8",
      NODE_DISABLE_COMPILE_CACHE: "1",
      NODE_EXTRA_CA_CERTS: inside.caBundle,
      OPENCLAW_CONFIG_PATH: join(inside.home, "plugin-install.json"),
      OPENCLAW_DISABLE_BONJOUR: "1",
      OPENCLAW_NO_AUTO_UPDATE: "1",
      OPENCLAW_STATE_DIR: inside.state,
      OPENCLAW_SUPERVISOR_MODE: "external",
      PATH: inside.commands,
      SSL_CERT_FILE: inside.caBundle,
      TMPDIR: "/tmp",
    },
  };
}

const Lock = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});
type Packages = z.infer<typeof Lock>["packages"];
const LARGEST_LOCK = 16 << 20;
/** Each plugin is one. */
const MOST_PROJECTS = 64;

/**
 * Whether a bot's state has the pinned version of a plugin, by the lock that npm wrote. The bot may
 * have written it too, so this answers "must it be installed?", not "is it safe?": what the bot
 * runs of its own state has no more rights than the bot.
 *
 * @param state the bot's state folder as the host sees it.
 */
export function hasPlugin(plugin: string, state: string, pin: PinFile): boolean {
  const { version, integrity } = pinned(plugin, pin);
  return someLock(state, (lock) => {
    const entry = lock[`node_modules/${plugin}`];
    return entry?.version === version && entry.integrity === integrity;
  });
}

function pinned(plugin: string, pin: PinFile): PinFile["plugins"][string] {
  const found = Object.hasOwn(pin.plugins, plugin) ? pin.plugins[plugin] : undefined;
  if (found !== undefined) return found;
  throw new OpenClawError(
    "plugin",
    `plugin "${plugin}" is not in the pin of OpenClaw ${pin.version}`,
    {
      hint: `pinned are: ${Object.keys(pin.plugins).join(", ")}`,
    },
  );
}

/**
 * Whether one of the locks of what npm installed there is as wanted. The bot may have made all of it, so from its
 * state on each step is opened by itself, without following a link: root reads here, too. What it may have made in
 * great numbers is not all looked at, and one by one.
 */
function someLock(state: string, wanted: (lock: Packages) => boolean): boolean {
  let found = false;
  within(state, constants.O_DIRECTORY, (folder) =>
    within(`${folder}/npm`, FOLDER, (npm) =>
      within(`${npm}/projects`, FOLDER, (projects) => {
        for (const name of firstNames(projects, MOST_PROJECTS))
          within(`${projects}/${name}`, FOLDER, (project) =>
            within(`${project}/package-lock.json`, FILE, (_path, file) => {
              const stat = fstatSync(file);
              if (found || !stat.isFile() || stat.size > LARGEST_LOCK) return;
              found = wanted(Lock.parse(JSON.parse(readFileSync(file, "utf8"))).packages);
            }),
          );
      }),
    ),
  );
  return found;
}

function firstNames(folder: string, most: number): string[] {
  const names: string[] = [];
  const listing = opendirSync(folder);
  try {
    for (let entry = listing.readSync(); entry !== null; entry = listing.readSync()) {
      if (names.length === most) break;
      names.push(entry.name);
    }
  } finally {
    listing.closeSync();
  }
  return names;
}

const FOLDER = constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What can't be opened or understood isn't there. */
function within(
  path: string,
  flags: number,
  look: (opened: string, descriptor: number) => void,
): void {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | flags);
    try {
      look(`/proc/self/fd/${descriptor}`, descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Nothing of it is believed then.
  }
}
