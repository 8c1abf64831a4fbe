import { z } from "zod";
import { name, secretName } from "./words.ts";

/** An organisation or user of a git host (Gitea and GitHub: letters, digits and hyphens; Gitea also `_` and `.`). */
const owner = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9])?$/, "an organisation's name");
/** A path without `..`, as a folder of this host. */
const folder = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) => !path.includes("\0") && !path.split("/").includes(".."),
    'a folder, without ".."',
  );
const absolute = folder.regex(/^\/./, "an absolute path");

const by = (service: string) =>
  ({
    grant: name.optional().describe(`The bot's grant of ${service}, if it has another name.`),
    secret: secretName
      .optional()
      .describe("Secret to use instead of the grant's, as that of an account that may do more."),
  }) as const;

const gitHost = (service: string) =>
  z
    .strictObject({
      ...by(service),
      owner: owner.describe("Organisation that repositories are made in."),
    })
    .optional();

/** How `seawall agent` makes agents of a bot; which there are isn't the declaration's business. */
export const agents = z.strictObject({
  repositories: z
    .strictObject({
      gitea: gitHost("gitea").describe("On a Gitea or Forgejo."),
      github: gitHost("github").describe("On GitHub."),
      path: absolute.optional().describe("In bare repositories below this folder of this host."),
    })
    .optional()
    .describe("Where each agent's workspace is kept. The first is used unless --repo names one."),
  channels: z
    .strictObject({
      mattermost: z
        .strictObject({
          ...by("mattermost"),
          team: z
            .string()
            .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, "a team's name, as in its address")
            .describe("Team that channels are made in."),
          members: z
            .array(z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/, "a user's name"))
            .min(1)
            .max(32)
            .describe("Users who are made members: you."),
          private: z.boolean().default(false).describe("Only members find it."),
        })
        .optional(),
      discord: z
        .strictObject({
          ...by("discord"),
          server: z
            .string()
            .regex(/^\d{17,20}$/, "a server's id")
            .describe("Server to make channels in."),
          members: z
            .array(z.string().regex(/^\d{17,20}$/, "a user's id"))
            .min(1)
            .max(32)
            .describe("Users whom agents listen to there: you."),
        })
        .optional(),
      telegram: z
        .strictObject({
          members: z
            .array(z.int().min(1))
            .min(1)
            .max(32)
            .describe("Users whom agents listen to there: you."),
        })
        .optional(),
    })
    .optional()
    .describe("Where each agent is talked to. The first is used unless --channel names one."),
  template: folder
    .optional()
    .describe("Folder whose files each new workspace begins with, relative to this file."),
  shared: folder
    .optional()
    .describe(
      "Folder with the USER.md and TOOLS.md that all workspaces get, relative to this file.",
    ),
  tools: z
    .enum(["bot", "wall", "podman"])
    .optional()
    .describe(
      "Where a new agent's tools run unless --tools says it: in the bot's wall (if absent), in one of their own, or in containers.",
    ),
  podman: z
    .strictObject({
      image: z
        .string()
        .max(512)
        .regex(
          /^(?:[a-z0-9][a-z0-9._:/-]{0,400}@)?sha256:[0-9a-f]{64}$/,
          "an image's id, or a name with its digest: sha256: and 64 hexadecimal digits",
        )
        .describe(
          "Image that commands run in, which Podman here has already: an id, or a name with a digest.",
        ),
    })
    .optional()
    .describe("Containers of the host's rootless Podman for agents' commands: docs/agents.md."),
  skills: folder
    .optional()
    .describe("Folder with skills that all agents read, relative to this file."),
});
