import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://console.groq.com/docs/api-reference */
export const groq: ServiceEntry = {
  name: "groq",
  title: "Groq, fast open models",
  hosts: ["https://api.groq.com"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "gsk_{alphanumeric:52}",
  variable: "GROQ_API_KEY",
  allow: [
    "POST /openai/v1/chat/completions",
    "POST /openai/v1/responses",
    "POST /openai/v1/audio/*",
    "GET /openai/v1/models",
    "GET /openai/v1/models/**",
  ],
  usage: "openai",
};
