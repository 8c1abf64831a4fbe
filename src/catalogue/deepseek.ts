import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://api-docs.deepseek.com */
export const deepseek: ServiceEntry = {
  name: "deepseek",
  title: "DeepSeek's models",
  hosts: ["https://api.deepseek.com"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "sk-{hex:32}",
  variable: "DEEPSEEK_API_KEY",
  allow: [
    "POST /chat/completions",
    "POST /v1/chat/completions",
    "POST /beta/chat/completions",
    "POST /beta/completions",
    "GET /models",
    "GET /v1/models",
  ],
  usage: "openai",
};
