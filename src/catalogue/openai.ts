import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://platform.openai.com/docs/api-reference/authentication. Only what a model needs: the
 * organisation's administration, files, fine-tuning and stored data are not in it.
 */
export const openai: ServiceEntry = {
  name: "openai",
  title: "OpenAI's models",
  hosts: ["https://api.openai.com"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "sk-proj-{base64url:74}T3BlbkFJ{base64url:74}",
  variable: "OPENAI_API_KEY",
  allow: [
    "POST /v1/responses",
    "POST /v1/responses/compact",
    "POST /v1/chat/completions",
    "POST /v1/embeddings",
    "POST /v1/moderations",
    "POST /v1/audio/*",
    "POST /v1/images/generations",
    "GET /v1/models",
    "GET /v1/models/*",
  ],
  provider: "openai",
  usage: "openai",
};
