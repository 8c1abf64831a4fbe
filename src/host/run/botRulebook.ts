import type { BotPlan } from "../../plan/index.ts";
import type { Origin, Rulebook } from "../../profiles/index.ts";
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
  const always: Origin = { kind: "always", what: "every bot's wall" };
  const readable = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc", "/proc", "/dev", "/opt"];
  const shell = plan.commands.length > 0 ? ["sh"] : [];
  const commands = loaded.declaration.bots[plan.name]?.exec?.allow ?? [];
  return {
    places: [
      ...readable.map((path) => ({ path, read: true, write: false, origin: always })),
      { path: INSIDE.home, read: true, write: true, origin: always },
    ],
    exceptions: [],
    programs: [
      { path: INSIDE.node, real: INSIDE.node, origin: always },
      ...commands.map((command, index) => ({
        path: `${INSIDE.commands}/${command}`,
        real: `/bin/${command}`,
        origin: at("exec", "allow", index),
      })),
      ...shell.map((each) => ({
        path: `${INSIDE.commands}/${each}`,
        real: `/bin/${each}`,
        origin: at("exec", "allow"),
      })),
    ],
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
