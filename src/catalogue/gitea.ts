import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://docs.gitea.com/development/api-usage, Forgejo too; for git the token is the password. Reading only,
 * and nothing that hands out other credentials: tokens, keys, hooks, secrets, runners.
 */
export const gitea: ServiceEntry = {
  name: "gitea",
  title: "Gitea and Forgejo: the API, and git",
  hosts: ["https://gitea.com"],
  ownHost: true,
  credential: [
    { header: "authorization", prefix: "token " },
    { header: "authorization", prefix: "Bearer " },
    { basic: "password" },
  ],
  phantom: "{hex:40}",
  variable: "GITEA_TOKEN",
  allow: [
    "GET /api/v1/version",
    "GET /api/v1/user",
    "GET /api/v1/user/repos",
    "GET /api/v1/users/*",
    "GET /api/v1/users/*/repos",
    "GET /api/v1/orgs/*/repos",
    "GET /api/v1/repos/search",
    "GET /api/v1/repos/*/*",
    ...[
      "branches",
      "commits",
      "contents",
      "git",
      "issues",
      "labels",
      "milestones",
      "pulls",
      "raw",
      "releases",
      "tags",
    ].map((part) => `GET /api/v1/repos/*/*/${part}/**`),
    { git: "*/*", access: "read" },
  ],
  challenge: 'Basic realm="Gitea"',
  git: "gitea.com",
  command: {
    name: "gitea-api",
    about: "repositories, issues and pull requests of your owner's Gitea or Forgejo",
    raw: true,
    operations: {
      "repos.search": {
        about: "find repositories",
        input: { q: { type: "string", about: "words" } },
        call: "GET /api/v1/repos/search",
        query: { q: "{q}" },
      },
      "issues.list": {
        about: "a repository's issues",
        input: {
          owner: { type: "string", required: true, about: "whose" },
          repo: { type: "string", required: true, about: "its name" },
          state: { type: "string", about: "which", oneOf: ["open", "closed", "all"] },
        },
        call: "GET /api/v1/repos/{owner}/{repo}/issues",
        query: { state: "{state}" },
      },
    },
  },
};
