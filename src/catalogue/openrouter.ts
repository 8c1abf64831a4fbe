import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://openrouter.ai/docs/api-reference/authentication */
export const openrouter: ServiceEntry = {
  name: "openrouter",
  title: "OpenRouter, many providers' models",
  hosts: ["https://openrouter.ai"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "sk-or-v1-{hex:64}",
  variable: "OPENROUTER_API_KEY",
  // Not /api/v1/keys and /api/v1/credits: they manage the account.
  allow: [
    "POST /api/v1/chat/completions",
    "POST /api/v1/responses",
    "POST /api/v1/embeddings",
    "POST /api/v1/messages",
    "GET /api/v1/models",
    "GET /api/v1/models/**",
    "GET /api/v1/generation",
  ],
  // OpenClaw reads the list of models without a key.
  anonymous: ["GET /api/v1/models", "GET /api/v1/models/**"],
  provider: "openrouter",
  usage: "openai",
};
