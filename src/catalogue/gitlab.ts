import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://docs.gitlab.com/api/rest/authentication/; for git the token is the password. Reading only,
 * and not what hands out other credentials: variables, deploy tokens, runners, triggers, job traces.
 */
export const gitlab: ServiceEntry = {
  name: "gitlab",
  title: "GitLab: its API, and git",
  hosts: ["https://gitlab.com"],
  ownHost: true,
  credential: [
    { header: "private-token" },
    { header: "authorization", prefix: "Bearer " },
    { basic: "password" },
  ],
  phantom: "glpat-{base64url:20}",
  variable: "GITLAB_TOKEN",
  allow: [
    "GET /api/v4/user",
    "GET /api/v4/projects",
    "GET /api/v4/projects/*",
    "GET /api/v4/projects/*/repository/**",
    "GET /api/v4/projects/*/issues/**",
    "GET /api/v4/projects/*/merge_requests/**",
    "GET /api/v4/projects/*/pipelines",
    "GET /api/v4/projects/*/pipelines/*",
    "GET /api/v4/projects/*/pipelines/*/jobs",
    "GET /api/v4/projects/*/releases/**",
    "GET /api/v4/projects/*/labels",
    "GET /api/v4/groups/*",
    "GET /api/v4/groups/*/projects",
    { git: "*/*", access: "read" },
    { git: "*/*/*", access: "read" },
  ],
  challenge: 'Basic realm="GitLab"',
  git: "gitlab.com",
};
