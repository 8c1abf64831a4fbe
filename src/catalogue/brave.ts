import type { EntryInput } from "./EntryCommand.ts";
import type { ServiceEntry } from "./ServiceEntry.ts";

const SEARCH: Readonly<Record<string, EntryInput>> = {
  q: { type: "string", required: true, about: "what to look for", min: 1, max: 400 },
  count: { type: "integer", about: "how many results", min: 1, max: 50 },
  offset: { type: "integer", about: "which page, from 0", min: 0, max: 9 },
  country: { type: "string", about: "two letters, as DE", min: 2, max: 3 },
  search_lang: { type: "string", about: "language of the results, as en", min: 2, max: 7 },
  freshness: {
    type: "string",
    about: "past day, week, month or year",
    oneOf: ["pd", "pw", "pm", "py"],
  },
};
const QUERY = Object.fromEntries(Object.keys(SEARCH).map((name) => [name, `{${name}}`]));

/**
 * https://api-dashboard.search.brave.com/documentation/guides/authentication. OpenClaw's own `web_search` finds the
 * variable and needs nothing else.
 */
export const brave: ServiceEntry = {
  name: "brave",
  title: "Brave's web search",
  hosts: ["https://api.search.brave.com"],
  credential: [{ header: "x-subscription-token" }],
  phantom: "BSA{base64url:28}",
  variable: "BRAVE_API_KEY",
  allow: ["GET /res/v1/**"],
  command: {
    name: "brave-search",
    about: "search the web",
    operations: {
      web: { about: "web pages", input: SEARCH, call: "GET /res/v1/web/search", query: QUERY },
      news: { about: "news", input: SEARCH, call: "GET /res/v1/news/search", query: QUERY },
    },
  },
};
