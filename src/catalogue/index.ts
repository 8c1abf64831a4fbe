import { annasArchive } from "./annasArchive.ts";
import { anthropic } from "./anthropic.ts";
import { radarr, sonarr } from "./arr.ts";
import { aws } from "./aws.ts";
import { awsS3 } from "./awsS3.ts";
import { bedrock } from "./bedrock.ts";
import { brave } from "./brave.ts";
import { bridge } from "./bridge.ts";
import { browserFetch } from "./browserFetch.ts";
import { caldav } from "./caldav.ts";
import { deepseek } from "./deepseek.ts";
import { discord } from "./discord.ts";
import { elevenlabs } from "./elevenlabs.ts";
import { gitea } from "./gitea.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";
import { googleApi } from "./googleApi.ts";
import { googleGemini } from "./googleGemini.ts";
import { groq } from "./groq.ts";
import { homeAssistant } from "./homeAssistant.ts";
import { huggingface } from "./huggingface.ts";
import { linear } from "./linear.ts";
import { imap, postgres, smtp } from "./logins.ts";
import { matrix } from "./matrix.ts";
import { mattermost } from "./mattermost.ts";
import { mistral } from "./mistral.ts";
import { notion } from "./notion.ts";
import { localModels, ollama } from "./ollama.ts";
import { openai } from "./openai.ts";
import { openrouter } from "./openrouter.ts";
import { slack } from "./slack.ts";
import { slackApp } from "./slackApp.ts";
import { tavily } from "./tavily.ts";
import { telegram } from "./telegram.ts";
import { transcribe } from "./transcribe.ts";
import { whatsapp } from "./whatsapp.ts";
import { xai } from "./xai.ts";
import type { ServiceEntry } from "./ServiceEntry.ts";

export { commandOf } from "./commandOf.ts";
export type { EntryCommand, EntryInput, EntryOperation } from "./EntryCommand.ts";
export type {
  CredentialPlace,
  EntryHeader,
  EntryJson,
  EntryMessage,
  EntryNotify,
  EntryRule,
  ServiceEntry,
} from "./ServiceEntry.ts";

/** Every known service, sorted by name. A new one is a new file and a line here. */
const ENTRIES: readonly ServiceEntry[] = [
  annasArchive,
  anthropic,
  aws,
  awsS3,
  bedrock,
  brave,
  bridge,
  browserFetch,
  caldav,
  deepseek,
  discord,
  elevenlabs,
  gitea,
  github,
  gitlab,
  googleApi,
  googleGemini,
  groq,
  homeAssistant,
  huggingface,
  imap,
  linear,
  localModels,
  matrix,
  mattermost,
  mistral,
  notion,
  ollama,
  openai,
  openrouter,
  postgres,
  radarr,
  slack,
  slackApp,
  smtp,
  sonarr,
  tavily,
  telegram,
  transcribe,
  whatsapp,
  xai,
];

/** The catalogue by name. A duplicate name is an error at load, not the last one winning. */
export const catalogue: ReadonlyMap<string, ServiceEntry> = byName(ENTRIES);

function byName(entries: readonly ServiceEntry[]): ReadonlyMap<string, ServiceEntry> {
  const map = new Map<string, ServiceEntry>();
  for (const entry of entries) {
    if (map.has(entry.name)) throw new Error(`the catalogue has "${entry.name}" twice`);
    map.set(entry.name, entry);
  }
  return map;
}
