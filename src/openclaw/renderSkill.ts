import {
  clientCommands,
  describeCommand,
  describeOperation,
  formatRule,
  type BotPlan,
} from "../plan/index.ts";

/**
 * The skill by which OpenClaw's agents learn of the client commands that their bot was granted: these
 * and no others. `undefined` for a bot that has none.
 *
 * Its description stands in every prompt of an agent that has the tool `read`, which a bot with such a command is
 * given. The rest stands only where an agent reads it; each command says the same by `--help`.
 */
export function renderSkill(bot: Pick<BotPlan, "grants">): string | undefined {
  const commands = clientCommands(bot);
  if (commands.length === 0) return undefined;
  const names = commands.map(({ command: { name, about } }) => `${name} (${about})`).join("; ");
  const description = `Commands for the exec tool: ${names}. Run one with --help to learn it.`;
  const chapters = commands.map(({ command, rules, origins }) =>
    [
      `## ${command.name}`,
      "",
      "```",
      describeCommand(command, rules.map(formatRule), origins).trimEnd(),
      "```",
      "",
      ...command.operations.flatMap((operation) => [
        "```",
        describeOperation(command, operation).trimEnd(),
        "```",
        "",
      ]),
    ].join("\n"),
  );
  return [
    "---",
    "name: seawall-commands",
    `description: ${JSON.stringify(description)}`,
    "---",
    "",
    "# Commands of your services",
    "",
    "Call these by the exec tool. They need no key, no URL and no other program.",
    "",
    ...chapters,
  ].join("\n");
}
