import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://docs.mistral.ai/api. Files, fine-tuning, batches and agents are not in it. */
export const mistral: ServiceEntry = {
  name: "mistral",
  title: "Mistral's models",
  hosts: ["https://api.mistral.ai"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "{alphanumeric:32}",
  variable: "MISTRAL_API_KEY",
  allow: [
    "POST /v1/chat/completions",
    "POST /v1/fim/completions",
    "POST /v1/embeddings",
    "POST /v1/moderations",
    "POST /v1/ocr",
    "POST /v1/audio/transcriptions",
    "GET /v1/models",
    "GET /v1/models/*",
  ],
  usage: "openai",
};
