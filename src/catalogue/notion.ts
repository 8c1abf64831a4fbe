import type { ServiceEntry } from "./ServiceEntry.ts";

/** https://developers.notion.com/reference/authentication. Reading; what is to be written a grant says. */
export const notion: ServiceEntry = {
  name: "notion",
  title: "Notion",
  hosts: ["https://api.notion.com"],
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "ntn_{alphanumeric:46}",
  variable: "NOTION_API_KEY",
  headers: { "Notion-Version": { about: "version of the API", usual: "2022-06-28" } },
  allow: [
    "POST /v1/search",
    "GET /v1/pages/**",
    "GET /v1/blocks/**",
    "GET /v1/databases/*",
    "POST /v1/databases/*/query",
    "GET /v1/data_sources/*",
    "POST /v1/data_sources/*/query",
    "GET /v1/comments",
    "GET /v1/users/**",
  ],
};
