import { join } from "node:path";
import { COMMAND_SOCKET, type InsidePaths } from "../host/index.ts";
import {
  clientCommands,
  type BotPlan,
  type CommandPlan,
  type InjectGrant,
  type InputPlan,
} from "../plan/index.ts";
import type { CommandField } from "./Field.ts";
import { isAsked, pathFor } from "./grantedCall.ts";

const METHODS = ["DELETE", "PATCH", "PUT", "POST"];

/** What attacks on a bot's client commands start from; `undefined` for a bot without any. */
export function commandField(
  bot: BotPlan,
  {
    inside,
    neighbour,
    waiting,
  }: {
    readonly inside: Pick<InsidePaths, "commands">;
    readonly neighbour: string;
    readonly waiting: string | undefined;
  },
): CommandField | undefined {
  const commands = clientCommands(bot).map(({ command }) => command);
  if (commands.length === 0) return undefined;
  const grants = bot.grants.flatMap((grant) =>
    grant.kind === "inject" && grant.command !== undefined ? [grant] : [],
  );
  const raw = grants.flatMap((grant) => rawCall(grant) ?? [])[0];
  const segment = commands.flatMap((command) => segmentOf(command) ?? [])[0];
  const bridge = bridgeField(bot, neighbour, waiting);
  return {
    socket: `${COMMAND_SOCKET.folder}/${COMMAND_SOCKET.name}`,
    programs: commands.map(({ name }) => ({ name, path: join(inside.commands, name) })),
    ...raw,
    ...(segment === undefined ? {} : { segment }),
    ...(bridge === undefined ? {} : { bridge }),
  };
}

/** `NAME call` goes to the first of the grant's hosts. */
function rawCall(
  grant: InjectGrant,
): Pick<CommandField, "call"> | Pick<CommandField, "call" | "refusedMethod"> | undefined {
  const { command, rules, ask = [], hosts } = grant;
  if (command?.raw !== true) return undefined;
  const rule = rules.find(
    (each) =>
      each.body === undefined &&
      each.query === undefined &&
      (each.host === undefined || each.host === hosts[0]?.name) &&
      !each.path.includes("{secret}") &&
      !isAsked(each, ask),
  );
  if (rule === undefined) return undefined;
  const method = rule.method === "*" ? "GET" : rule.method;
  const all = [...rules, ...ask];
  const refused = METHODS.find((name) => !all.some((each) => ["*", name].includes(each.method)));
  return {
    call: { command: command.name, method, path: pathFor(rule) },
    ...(refused === undefined ? {} : { refusedMethod: refused }),
  };
}

function segmentOf(command: CommandPlan): CommandField["segment"] | undefined {
  for (const { name, does, input } of command.operations) {
    if (does.kind !== "http") continue;
    const put = input.find(
      (each) => each.type === "string" && does.path.includes(`{${each.name}}`),
    );
    if (put === undefined) continue;
    const others = input
      .filter((each) => each.required && each.name !== put.name)
      .map((each) => `${each.name}=${valueFor(each)}`);
    return { command: command.name, operation: name, input: put.name, others };
  }
  return undefined;
}

function valueFor({ type, oneOf, min }: InputPlan): string {
  const [known] = oneOf ?? [];
  if (known !== undefined) return known;
  switch (type) {
    case "string":
      return "prove".padEnd(min ?? 0, "e");
    case "integer":
    case "number":
      return String(min ?? 1);
    case "boolean":
      return "true";
    case "array":
      return "[]";
    case "object":
      return "{}";
    default:
      return type satisfies never;
  }
}

function bridgeField(
  { name, grants }: BotPlan,
  neighbour: string,
  waiting: string | undefined,
): CommandField["bridge"] | undefined {
  const grant = grants.find((each) => each.kind === "program" && each.service === "bridge");
  if (grant?.kind !== "program") return undefined;
  const said = grant.options["to"];
  const to = Array.isArray(said) ? said.map(String) : [];
  if (to.includes(neighbour)) return { own: name, to };
  return { own: name, to, other: neighbour, ...(waiting === undefined ? {} : { waiting }) };
}
