import type { Declaration, DeclaredBot, Fault } from "../declaration/index.ts";

/** What makes agents is done by the bot's own grants, and by secrets that are declared. */
export function checkAgents(
  bot: DeclaredBot,
  { secrets }: Pick<Declaration, "secrets">,
  path: readonly string[],
  faults: Fault[],
): void {
  const { repositories, channels } = bot.agents ?? {};
  const { gitea, github } = repositories ?? {};
  const { mattermost, discord } = channels ?? {};
  const uses = Object.entries({
    repositories: { gitea, github },
    channels: { mattermost, discord },
  }).flatMap(([part, services]) =>
    Object.entries(services).map(([service, how]) => ({ part, service, how })),
  );
  for (const { part, service, how } of uses) {
    if (how === undefined) continue;
    const at = [...path, "agents", part, service];
    const grant = how.grant ?? service;
    if (!Object.hasOwn(bot.grants, grant)) {
      faults.push({
        code: "invalid",
        path: how.grant === undefined ? at : [...at, "grant"],
        message: `this bot has no grant "${grant}"`,
        hint: `grant it ${service}, or name the grant of it that it has`,
      });
    }
    if (how.secret !== undefined && !Object.hasOwn(secrets, how.secret)) {
      faults.push({
        code: "unknown-secret",
        path: [...at, "secret"],
        message: `secret "${how.secret}" is not declared`,
        hint: `add it under "secrets", as ${how.secret}: { vault: "${how.secret}" }`,
      });
    }
  }
  if (bot.agents?.tools === "podman" && bot.agents.podman === undefined) {
    faults.push({
      code: "invalid",
      path: [...path, "agents", "tools"],
      message: "no image is declared for the containers",
      hint: 'say which, beside it: podman: { image: "sha256:…" }',
    });
  }
  if (channels?.telegram !== undefined && !Object.hasOwn(bot.grants, "telegram")) {
    faults.push({
      code: "invalid",
      path: [...path, "agents", "channels", "telegram"],
      message: 'this bot has no grant "telegram"',
      hint: "grant it telegram",
    });
  }
}
