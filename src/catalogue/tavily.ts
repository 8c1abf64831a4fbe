import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://docs.tavily.com/documentation/api-reference/introduction. Older clients send the key in the body. */
export const tavily: ServiceEntry = {
  name: "tavily",
  title: "Tavily's web search",
  hosts: ["https://api.tavily.com"],
  credential: [{ header: "authorization", prefix: "Bearer " }, { json: "/api_key" }],
  phantom: "tvly-{alphanumeric:32}",
  variable: "TAVILY_API_KEY",
  allow: ["POST /search", "POST /extract", "POST /crawl", "POST /map"],
};
