import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://docs.github.com/en/rest/authentication and, for git, /en/get-started/git-basics: the token
 * is the password, whatever the user's name. Reading what the token may read; whatever is to be
 * written is named by the grant, as `{ git: "owner/name", access: "write" }`.
 */
export const github: ServiceEntry = {
  name: "github",
  title: "GitHub: its API, and git",
  hosts: ["https://api.github.com", "https://github.com", "https://uploads.github.com"],
  credential: [
    { header: "authorization", prefix: "Bearer " },
    { header: "authorization", prefix: "token " },
    { basic: "password" },
  ],
  phantom: "ghp_{alphanumeric:36}",
  variable: "GH_TOKEN",
  headers: {
    Accept: { about: "form of the answer, as application/vnd.github.raw+json" },
    "Content-Type": { about: "of what --input uploads" },
    "X-GitHub-Api-Version": { about: "version of the API", usual: "2022-11-28" },
  },
  allow: [
    "GET api.github.com/user",
    "GET api.github.com/user/repos",
    "GET api.github.com/users/*",
    "GET api.github.com/orgs/*",
    "GET api.github.com/orgs/*/repos",
    "GET api.github.com/repos/*/*",
    "GET api.github.com/repos/*/*/**",
    "GET api.github.com/search/*",
    "GET api.github.com/notifications",
    "GET api.github.com/rate_limit",
    { call: "POST api.github.com/graphql", graphql: "query" },
    { git: "*/*", access: "read" },
  ],
  challenge: 'Basic realm="GitHub"',
  git: "github.com",
};
