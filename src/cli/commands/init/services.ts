import { catalogue, type ServiceEntry } from "../../../catalogue/index.ts";
import { CHANNELS } from "../../../openclaw/index.ts";

/** Those whose grants take more than a few answers, and where it is said. */
export const BY_HAND: Readonly<Record<string, string>> = {
  aws: "docs/minted-credentials.md",
  "aws-s3": "docs/minted-credentials.md",
  bedrock: "docs/minted-credentials.md",
  bridge: "docs/services.md",
  "google-api": "docs/minted-credentials.md",
};

/** Models by the name that their provider gives them, as OpenClaw 2026.9.6 lists them. */
const USUAL_MODELS: Readonly<Record<string, string>> = {
  anthropic: "claude-sonnet-4-6",
  google: "gemini-3.1-pro-preview",
  openai: "gpt-5.4",
  openrouter: "openrouter/auto",
  xai: "grok-4.5",
};

/** One more thing that a grant says, and how it is asked for. */
export interface Detail {
  /** The grant's key. */
  readonly key: "url" | "server" | "allowFrom" | "allowHosts";
  readonly ask: string;
  /** Absent where it has to be said; an empty answer leaves the key out. */
  readonly usual?: "";
  readonly read: (text: string) => unknown;
}

/** Services that answer for models of a provider, the usual one first. */
export function modelServices(): readonly ServiceEntry[] {
  const found = [...catalogue.values()].filter(({ provider }) => provider !== undefined);
  const first = found.filter(({ name }) => name === "anthropic");
  return [...first, ...found.filter((entry) => !first.includes(entry))];
}

export function usualModel(provider: string): string | undefined {
  return USUAL_MODELS[provider];
}

/** Services that a bot is talked to by, and that its OpenClaw can be set up for. */
export function channelServices(): readonly ServiceEntry[] {
  return [...catalogue.values()].filter(
    ({ channel }) => channel !== undefined && CHANNELS.includes(channel),
  );
}

/** A service with the one that its channel takes besides, for its second token. */
export function withSecond(entry: ServiceEntry): readonly ServiceEntry[] {
  const second = catalogue.get(entry.channelNeeds ?? "");
  return second === undefined ? [entry] : [entry, second];
}

/** The others that a few answers are enough for. */
export function otherServices(): readonly ServiceEntry[] {
  const channels = channelServices().flatMap(withSecond);
  const taken = new Set([...modelServices(), ...channels].map(({ name }) => name));
  return [...catalogue.values()].filter(
    ({ name }) => !taken.has(name) && !Object.hasOwn(BY_HAND, name),
  );
}

export function takesSecret({ keyless, program }: ServiceEntry): boolean {
  return keyless !== true && program === undefined;
}

export function detailsOf({
  name,
  title,
  hosts,
  ownHost,
  login,
  channel,
  program,
}: ServiceEntry): readonly Detail[] {
  const details: Detail[] = [];
  if (ownHost === true)
    details.push({
      key: "url",
      ask:
        hosts.length === 0
          ? `where is ${title}, as https://${name}.example.com?`
          : `where is ${title}? (empty: ${hosts.join(", ")})`,
      ...(hosts.length === 0 ? {} : { usual: "" }),
      read: (text) => text.replace(/\/+$/, ""),
    });
  if (login !== undefined)
    details.push({
      key: "server",
      ask: `which server is ${title} at, as ${name}.example.com?`,
      read: (text) => text,
    });
  if (channel !== undefined)
    details.push({
      key: "allowFrom",
      ask: `whose messages does it take on ${name}? user ids, with commas (empty: you let in each new sender)`,
      usual: "",
      read: (text) => items(text).map(senderOf),
    });
  if (program?.needs?.includes("allowHosts") === true)
    details.push({
      key: "allowHosts",
      ask: `which hosts may pages come from for ${name}? with commas, as *.wikipedia.org, or * for all`,
      read: items,
    });
  return details;
}

/** The items of a list with commas. */
export function items(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** Ids of some services are numbers, others too long to be one in JSON. */
function senderOf(id: string): string | number {
  const number = Number(id);
  return /^[1-9]\d*$/.test(id) && Number.isSafeInteger(number) ? number : id;
}
