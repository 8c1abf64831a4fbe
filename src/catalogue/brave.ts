import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://api-dashboard.search.brave.com/documentation/guides/authentication */
export const brave: ServiceEntry = {
  name: "brave",
  title: "Brave's web search",
  hosts: ["https://api.search.brave.com"],
  credential: [{ header: "x-subscription-token" }],
  phantom: "BSA{base64url:28}",
  variable: "BRAVE_API_KEY",
  allow: ["GET /res/v1/**"],
};
