import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://docs.x.ai/docs/api-reference. Files and collections are not in it. */
export const xai: ServiceEntry = {
  name: "xai",
  title: "xAI's models",
  hosts: ["https://api.x.ai"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "xai-{alphanumeric:80}",
  variable: "XAI_API_KEY",
  allow: [
    "POST /v1/responses",
    "POST /v1/chat/completions",
    "POST /v1/embeddings",
    "POST /v1/images/generations",
    "GET /v1/models",
    "GET /v1/models/*",
    "GET /v1/language-models",
    "GET /v1/language-models/*",
  ],
  provider: "xai",
  usage: "openai",
};
