import { loadDeclaration } from "../../host/index.ts";
import type { BotPlan, GrantPlan, Plan } from "../../plan/index.ts";
import type { Command } from "../Command.ts";

export const plan: Command = {
  name: "plan",
  usage: "[FILE]",
  summary: "what would be deployed",
  help: "Resolves the declaration and prints what comes of it, in short or, with --json, whole.",
  options: {},
  words: { least: 0, most: 1 },
  run: async ({ words: [file], output, json }) => {
    const loaded = loadDeclaration(file, process.env);
    if (json) output.json(loaded.plan);
    else for (const line of planLines(loaded.plan)) output.line(line);
    return 0;
  },
};

export function planLines({ bots, secrets }: Plan): string[] {
  return [
    ...bots.flatMap(botLines),
    `secrets: ${secrets.map(({ name, source }) => `${name} (${source.store})`).join(", ") || "none"}`,
  ];
}

function botLines(bot: BotPlan): string[] {
  return [
    `${bot.name}: OpenClaw ${bot.openclaw.version}, ${bot.openclaw.model}`,
    ...bot.grants.map((grant) => `  reaches ${grantLine(grant)}`),
    `  runs ${bot.commands.join(", ") || "no commands"}`,
    `  gateway on http://127.0.0.1:${bot.ingress.port}`,
    ...bot.concessions.map((concession) => `  concession: ${concession}`),
    "",
  ];
}

function grantLine(grant: GrantPlan): string {
  const hosts = grant.hosts.map(({ scheme, name, port }) => {
    const usual = port === (scheme === "https" ? 443 : 80);
    return usual ? name : `${name}:${port}`;
  });
  const where =
    grant.dial?.host === undefined
      ? ""
      : `, dialled at ${grant.dial.host}:${grant.dial.port ?? "same port"}`;
  const how =
    grant.kind !== "inject"
      ? "passed through"
      : `${grant.rules.length} ${grant.rules.length === 1 ? "rule" : "rules"}, with secret "${grant.secret}"`;
  return `${hosts.join(", ")} (${how}${where})`;
}
