import { catalogue } from "../../../catalogue/index.ts";
import { writeJson5, writeKey } from "../../../declaration/index.ts";
import { latestPin } from "../../../openclaw/index.ts";
import type { Answers } from "./Answers.ts";
import { takesSecret } from "./services.ts";

/** What a bot may do with its own folder; it reaches nothing beyond it. */
const TOOLS = ["read", "write", "edit"];

type Declared = Readonly<Record<string, unknown>>;

/** The declaration that the answers make. Pure. */
export function composeDeclaration(answers: Answers): {
  readonly seawall: 1;
  readonly secrets: Declared;
  readonly bots: Readonly<Record<string, Declared>>;
} {
  const { bot, secrets } = answers;
  return {
    seawall: 1,
    secrets: Object.fromEntries(secrets.map(({ name, declared }) => [name, declared])),
    bots: { [bot]: composeBot(answers) },
  };
}

function composeBot({ model, grants, domain }: Answers): Declared {
  const services = grants.flatMap(({ service }) => catalogue.get(service) ?? []);
  const commands = services.flatMap(({ command }) => command?.name ?? []);
  const speaks = services.some(({ channel }) => channel !== undefined);
  return {
    openclaw: latestPin(),
    model,
    grants: Object.fromEntries(
      grants.map(({ service, details }) => {
        const entry = catalogue.get(service);
        const secret = entry !== undefined && takesSecret(entry) ? { secret: service } : {};
        return [service, { ...secret, ...details }];
      }),
    ),
    tools: { allow: [...TOOLS, ...(speaks ? ["message"] : [])] },
    ...(commands.length === 0 ? {} : { exec: { allow: [...new Set(commands)] } }),
    ...(domain === "" ? {} : { expose: { domain } }),
  };
}

/** Why each part is there, for who reads the file later. */
const REMARKS: Readonly<Record<string, string>> = {
  model: "what it thinks with; one of the grants answers for it",
  grants: "all that it reaches; everything else is refused",
  tools: "of OpenClaw; what it may do with its own folder",
  exec: "commands that exist inside",
  expose: "over HTTPS, under systemd: seawall switch",
};

/** The text of that declaration: JSON5 with remarks, each secret and grant on a line of its own. */
export function printDeclaration(answers: Answers): string {
  const { secrets } = composeDeclaration(answers);
  const bot = composeBot(answers);
  const lines = (record: Declared, indent: string): string[] =>
    Object.entries(record).map(
      ([key, value]) => `${indent}${writeKey(key)}: ${writeJson5(value)},`,
    );
  const body = Object.entries(bot).flatMap(([key, value]) => {
    const remark = REMARKS[key];
    const after = remark === undefined ? "" : ` // ${remark}`;
    if (key !== "grants") return [`      ${writeKey(key)}: ${writeJson5(value)},${after}`];
    return [`      grants: {${after}`, ...lines(value as Declared, "        "), "      },"];
  });
  return [
    "// Written by: seawall init. Yours to change; docs/declaration.md says what else can be said.",
    "{",
    "  seawall: 1,",
    ...(Object.keys(secrets).length === 0
      ? []
      : [
          "  secrets: {",
          "    // where each value is kept; never the value",
          ...lines(secrets, "    "),
          "  },",
        ]),
    "  bots: {",
    `    ${writeKey(answers.bot)}: {`,
    ...body,
    "    },",
    "  },",
    "}",
    "",
  ].join("\n");
}
