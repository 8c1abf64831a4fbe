import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://docs.claude.com/en/api/overview#authentication */
export const anthropic: ServiceEntry = {
  name: "anthropic",
  title: "Anthropic's models",
  hosts: ["https://api.anthropic.com"],
  credential: [{ header: "x-api-key" }, { header: "authorization", prefix: "Bearer " }],
  phantom: "sk-ant-api03-{base64url:93}AA",
  variable: "ANTHROPIC_API_KEY",
  headers: {
    "anthropic-beta": { about: "features to be tried" },
    "anthropic-version": { about: "version of the API", usual: "2023-06-01" },
  },
  allow: [
    "POST /v1/messages",
    "POST /v1/messages/count_tokens",
    "GET /v1/models",
    "GET /v1/models/*",
  ],
  provider: "anthropic",
  usage: "anthropic",
};
