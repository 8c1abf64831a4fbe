import { readPin, renderConfig } from "../../openclaw/index.ts";
import type { BotPlan } from "../../plan/index.ts";
import type { Origin, Rulebook } from "../../profiles/index.ts";
import { LAUNCHER } from "../../run/index.ts";
import type { WallSpec } from "../../wall/index.ts";
import { botWall } from "../botWall.ts";
import { findCommands } from "../findCommand.ts";
import { HostError } from "../HostError.ts";
import { INSIDE } from "../inside.ts";
import { loadDeclaration, type LoadedDeclaration } from "../loadDeclaration.ts";

/**
 * What `seawall why` asks about a bot of the declaration. Paths are those inside its wall.
 *
 * @throws DeclarationError; HostError `no-declaration`, `no-such-bot`
 */
export async function botRulebook(
  file: string | undefined,
  name: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Rulebook> {
  const loaded = loadDeclaration(file, env);
  const plan = findBot(loaded, name);
  const at = (...path: (string | number)[]): Origin => ({
    kind: "declaration",
    file: loaded.file,
    path: ["bots", plan.name, ...path],
  });
  const spec = wallOf(plan);
  const commands = loaded.declaration.bots[plan.name]?.exec?.allow ?? [];
  const originOf = (path: string): Origin => {
    const index = commands.findIndex((command) => path === `${INSIDE.commands}/${command}`);
    if (index !== -1) return at("exec", "allow", index);
    return path === `${INSIDE.commands}/sh` ? at("exec", "allow") : ALWAYS;
  };
  return {
    places: spec.mounts.flatMap((mount) => {
      if (mount.kind === "link" || mount.kind === "sealed") return [];
      const write = mount.kind === "write" || mount.kind === "memory";
      return [{ path: mount.to, read: true, write, origin: originOf(mount.to) }];
    }),
    exceptions: spec.protect.map(({ path, access, absent = "seal" }) => ({
      path,
      access,
      absent,
      origin: ALWAYS,
    })),
    programs: [spec.command[0], ...spec.execute].map((path) => ({
      path,
      real: path,
      origin: originOf(path),
    })),
    hosts: plan.grants.flatMap((grant) =>
      grant.hosts.map(({ name: host, port }) => ({
        name: host,
        port,
        how:
          grant.kind === "inject"
            ? `called with the secret "${grant.secret}", as its rules allow`
            : "passed through",
        origin: at("grants", grant.name),
      })),
    ),
    deniedHosts: [],
  };
}

const ALWAYS: Origin = { kind: "always", what: "every bot's wall" };

/** The wall that the plan comes to, whether or not the bot's OpenClaw is here yet. */
function wallOf(plan: BotPlan): WallSpec {
  const pin = readPin(plan.openclaw.version);
  const [shell] = findCommands(["sh"], plan.name);
  return botWall({
    plan,
    bot: {
      openclaw: { root: INSIDE.openclaw, entry: INSIDE.openclaw },
      rendered: renderConfig(plan, INSIDE, pin),
      commands: findCommands(plan.commands, plan.name),
      cas: {},
    },
    programs: { node: process.execPath, launcher: LAUNCHER, shell: shell?.path ?? "/bin/sh" },
    home: INSIDE.home,
    trust: "",
    variables: {},
    boundsMemory: true,
  });
}

/**
 * The bots of the declaration that is found here, none if there is no declaration.
 *
 * @throws DeclarationError for one with faults
 */
export function declaredBots(
  env: Readonly<Record<string, string | undefined>>,
): readonly { readonly name: string; readonly file: string }[] {
  try {
    const { plan, file } = loadDeclaration(undefined, env);
    return plan.bots.map(({ name }) => ({ name, file }));
  } catch (error) {
    if (error instanceof HostError && error.code === "no-declaration") return [];
    throw error;
  }
}

function findBot(loaded: LoadedDeclaration, name: string | undefined): BotPlan {
  const { bots } = loaded.plan;
  const bot =
    name === undefined && bots.length === 1 ? bots[0] : bots.find((each) => each.name === name);
  if (bot !== undefined) return bot;
  throw new HostError(
    "no-such-bot",
    name === undefined ? "there are several bots" : `there is no bot "${name.slice(0, 40)}"`,
    {
      where: loaded.file,
      hint: `name one with --bot: ${bots.map((each) => each.name).join(", ") || "none is declared"}`,
    },
  );
}
