import { domainToASCII } from "node:url";
import { catalogue, type ServiceEntry } from "../../../catalogue/index.ts";
import type { Path } from "../../../declaration/index.ts";
import { declarationFaults } from "../../../host/index.ts";
import type { AnsweredGrant, Answers } from "./Answers.ts";
import { composeDeclaration } from "./composeDeclaration.ts";
import type { Choice } from "./Dialogue.ts";
import type { Flags } from "./Flags.ts";
import type { Interview } from "./Interview.ts";
import {
  BY_HAND,
  channelServices,
  detailsOf,
  modelServices,
  otherServices,
  takesSecret,
  usualModel,
  withSecond,
} from "./services.ts";

/** What a part of the declaration is looked at with, until the rest is known. */
const BLANK: Answers = {
  bot: "basecamp",
  model: "ollama/any",
  grants: [{ service: "ollama", details: {} }],
  domain: "",
  secrets: [],
};

/**
 * Gets all answers but those about secrets. Whatever couldn't be got is blank then, and the interview
 * knows of it.
 */
export async function collectAnswers(
  interview: Interview,
  flags: Flags,
): Promise<Omit<Answers, "secrets">> {
  const bot = await interview.text(
    {
      flag: "--bot",
      ask: "what is the bot called?",
      usual: "basecamp",
      check: (answer) => faultAt({ ...BLANK, bot: answer }, ["bots", answer]),
    },
    flags.value("bot"),
  );
  const model = await askModel(interview, flags);
  const chosen = [
    ...(model === undefined ? [] : [model.entry]),
    ...(await askServices(interview, flags, "channels")).flatMap(withSecond),
    ...(await askServices(interview, flags, "services")),
  ];
  const grants: AnsweredGrant[] = [];
  for (const entry of new Set(chosen))
    grants.push({ service: entry.name, details: await askDetails(interview, flags, entry) });
  const domain = await interview.text(
    {
      flag: "--domain",
      ask: "at which domain is it reached from outside? (empty: only on this machine)",
      usual: "",
      check: (answer) => domainFault(answer),
    },
    flags.value("domain"),
  );
  return { bot: bot ?? BLANK.bot, model: model?.name ?? BLANK.model, grants, domain: domain ?? "" };
}

async function askModel(
  interview: Interview,
  flags: Flags,
): Promise<{ readonly entry: ServiceEntry; readonly name: string } | undefined> {
  const services = modelServices();
  const providers = services.map(({ provider = "" }) => provider);
  const given = flags.value("model")?.trim();
  // A model's own name may have a slash in it, and a provider before it is one we know.
  const named = providers.find((provider) => given?.startsWith(`${provider}/`));
  const provider = await interview.choose(
    {
      flag: "--provider",
      ask: "whose model does it think with?",
      options: services.map((entry) => ({ value: entry.provider ?? "", label: entry.title })),
      check: (answer) =>
        providers.includes(answer)
          ? undefined
          : `there is no such provider; there are: ${providers.join(", ")}`,
    },
    flags.value("provider") ?? named,
  );
  const entry = services.find((each) => each.provider === provider);
  if (provider === undefined || entry === undefined) return undefined;
  const whole = (answer: string): string =>
    answer.startsWith(`${provider}/`) ? answer : `${provider}/${answer}`;
  const usual = usualModel(provider);
  const name = await interview.text(
    {
      flag: "--model",
      ask: "which of its models?",
      ...(usual === undefined ? {} : { usual }),
      check: (answer) => {
        const grants = [{ service: entry.name, details: {} }];
        const fault = faultAt({ ...BLANK, model: whole(answer), grants }, [
          "bots",
          BLANK.bot,
          "model",
        ]);
        return answer === "" ? "a model has a name" : fault;
      },
    },
    given,
  );
  return name === undefined ? undefined : { entry, name: whole(name) };
}

async function askServices(
  interview: Interview,
  flags: Flags,
  which: "channels" | "services",
): Promise<readonly ServiceEntry[]> {
  const entries = which === "channels" ? channelServices() : otherServices();
  const names = entries.map(({ name }) => name);
  const question: Choice = {
    flag: `--${which}`,
    ask: which === "channels" ? "by which channels do people talk to it?" : "what else may it use?",
    options: entries.map(({ name, title }) => ({ value: name, label: title })),
    check: (answer) => {
      if (names.includes(answer)) return undefined;
      if (Object.hasOwn(BY_HAND, answer))
        return `"${answer}" takes more than a few answers: add it to the declaration (${BY_HAND[answer] ?? ""})`;
      if (which === "services" && channelServices().some(({ name }) => name === answer))
        return `"${answer}" is a channel: name it with --channels`;
      return `there is no such one; there are: ${names.join(", ")}`;
    },
  };
  const chosen = await interview.chooseSome(question, flags.value(which));
  return chosen.flatMap((name) => catalogue.get(name) ?? []);
}

async function askDetails(
  interview: Interview,
  flags: Flags,
  entry: ServiceEntry,
): Promise<Readonly<Record<string, unknown>>> {
  const details: Record<string, unknown> = {};
  for (const { key, ask, usual, read } of detailsOf(entry)) {
    const answer = await interview.text(
      {
        flag: `--set ${entry.name}.${key}`,
        ask,
        ...(usual === undefined ? {} : { usual }),
        check: (text) => {
          if (text === "") return usual === undefined ? "that has to be said" : undefined;
          const grants = withSecond(entry).map(({ name: service }) => ({
            service,
            details: service === entry.name ? { ...details, [key]: read(text) } : {},
          }));
          return faultAt({ ...BLANK, grants }, ["bots", BLANK.bot, "grants", entry.name, key]);
        },
      },
      flags.pair("set", `${entry.name}.${key}`),
    );
    if (answer !== undefined && answer !== "") details[key] = read(answer);
  }
  return details;
}

function domainFault(answer: string): string | undefined {
  if (answer === "") return undefined;
  const fault = faultAt({ ...BLANK, domain: answer }, ["bots", BLANK.bot, "expose"]);
  const ascii = domainToASCII(answer);
  if (
    fault === undefined ||
    ascii === "" ||
    ascii === answer ||
    faultAt({ ...BLANK, domain: ascii }, ["bots", BLANK.bot, "expose"]) !== undefined
  )
    return fault;
  return `${fault}; in the letters that domains have it is ${ascii}`;
}

/** What a declaration with this answer would be refused for, at the place where it stands. */
export function faultAt(answers: Answers, path: Path): string | undefined {
  const secrets = answers.grants.flatMap(({ service }) => {
    const entry = catalogue.get(service);
    if (entry === undefined || !takesSecret(entry)) return [];
    return answers.secrets.some(({ name }) => name === service)
      ? []
      : [{ name: service, declared: { vault: service } }];
  });
  const declaration = composeDeclaration({ ...answers, secrets: [...answers.secrets, ...secrets] });
  const fault = declarationFaults(declaration).find((each) =>
    path.every((step, at) => each.path[at] === step),
  );
  if (fault === undefined) return undefined;
  // The question or the flag names it already.
  const message = fault.message.replace(/^"[\w-]+" must be /, "it must be ");
  return fault.hint === undefined || fault.code === "looks-like-a-secret"
    ? message
    : `${message}: ${fault.hint}`;
}
