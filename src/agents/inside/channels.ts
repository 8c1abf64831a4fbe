import type { ChannelPlace, Jobs, MadeChannel } from "./Job.ts";
import { JobError } from "./JobError.ts";
import { describe, whose } from "./marks.ts";
import { Rest, textOf, valueOf } from "./Rest.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Mattermost = Extract<ChannelPlace, { kind: "mattermost" }>;
type Discord = Extract<ChannelPlace, { kind: "discord" }>;

/**
 * Makes a channel, or takes up the one that this run made before or that an earlier deletion archived,
 * and makes its members members.
 *
 * @throws JobError `exists` for one that somebody else made.
 */
export function makeChannel(
  { place, name, mark }: Jobs["make-channel"]["takes"],
  env: Environment,
): Promise<MadeChannel> {
  return place.kind === "mattermost"
    ? makeOnMattermost(place, name, mark, env)
    : makeOnDiscord(place, name, mark, env);
}

/** Archives a channel, where the service can, else deletes it; one that is gone is left. */
export function dropChannel(
  { place, name, id, mark }: Jobs["drop-channel"]["takes"],
  env: Environment,
): Promise<{ readonly dropped: boolean }> {
  return place.kind === "mattermost"
    ? dropOnMattermost(place, { name, id, mark }, env)
    : dropOnDiscord(place, { name, id, mark }, env);
}

interface Wanted {
  readonly name: string;
  readonly id: string | undefined;
  readonly mark: string | undefined;
}

/** https://developers.mattermost.com/api-documentation: channels, teams, users. */
async function makeOnMattermost(
  place: Mattermost,
  name: string,
  mark: string,
  env: Environment,
): Promise<MadeChannel> {
  const rest = mattermost(place, env);
  const team = await teamId(rest, place.team);
  const users = await Promise.all(place.members.map((user) => userId(rest, user)));
  const me = textOf(await rest.must("GET", "/users/me", "say whose account this is"), "id") ?? "";
  let found = await channelNamed(rest, team, name);
  let created = false;
  if (found === undefined) {
    const made = await rest.call("POST", "/channels", {
      team_id: team,
      name,
      display_name: name,
      type: place.private ? "P" : "O",
      purpose: describe(`Agent ${name}`, mark),
    });
    created = made.status < 300;
    found = created ? made.body : await channelNamed(rest, team, name);
    if (found === undefined) throw rest.refusal(made, "make a channel");
  }
  const id = textOf(found, "id") ?? "";
  if (!/^[a-z0-9]{26}$/.test(id))
    throw new JobError("refused", "mattermost gives a channel without id");
  const owner = whose(textOf(found, "purpose"), mark);
  const archived = Number(valueOf(found, "delete_at") ?? 0) > 0;
  if (!created && owner === "others")
    throw new JobError("exists", `there is a channel "${name}" in this team already`);
  if (archived) await rest.must("POST", `/channels/${id}/restore`, "restore the channel");
  for (const user of new Set([me, ...users])) {
    const added = await rest.call("POST", `/channels/${id}/members`, { user_id: user });
    // Mattermost takes one who is a member already; what it refuses the owner has to know of.
    if (added.status >= 300) throw rest.refusal(added, "make somebody a member");
  }
  return { id, created: created || owner === "this run", restored: archived, members: users };
}

async function dropOnMattermost(
  place: Mattermost,
  wanted: Wanted,
  env: Environment,
): Promise<{ readonly dropped: boolean }> {
  const rest = mattermost(place, env);
  const found =
    wanted.id === undefined
      ? await channelNamed(rest, await teamId(rest, place.team), wanted.name)
      : (await rest.call("GET", `/channels/${wanted.id}`)).body;
  const id = textOf(found, "id") ?? "";
  if (!/^[a-z0-9]{26}$/.test(id) || Number(valueOf(found, "delete_at") ?? 0) > 0)
    return { dropped: false };
  if (wanted.mark !== undefined && whose(textOf(found, "purpose"), wanted.mark) !== "this run")
    return { dropped: false };
  await rest.must("DELETE", `/channels/${id}`, "archive the channel");
  return { dropped: true };
}

function mattermost({ api, variable }: Mattermost, env: Environment): Rest {
  return new Rest("mattermost", api, `Bearer ${env[variable] ?? ""}`);
}

async function teamId(rest: Rest, team: string): Promise<string> {
  const found = await rest.call("GET", `/teams/name/${team}`);
  const id = textOf(found.body, "id");
  if (found.status < 300 && id !== undefined) return id;
  if (found.status !== 404) throw rest.refusal(found, "show the team");
  throw new JobError("refused", `there is no team "${team}", or this account isn't in it`);
}

async function userId(rest: Rest, user: string): Promise<string> {
  const found = await rest.call("GET", `/users/username/${user}`);
  const id = textOf(found.body, "id");
  if (found.status < 300 && id !== undefined) return id;
  if (found.status !== 404) throw rest.refusal(found, "show a user");
  throw new JobError("refused", `there is no user "${user}"`);
}

async function channelNamed(rest: Rest, team: string, name: string): Promise<unknown> {
  const at = `/teams/${team}/channels/name/${name}?include_deleted=true`;
  const found = await rest.call("GET", at);
  if (found.status === 404) return undefined;
  if (found.status >= 300) throw rest.refusal(found, "show the channel");
  return found.body;
}

/**
 * https://discord.com/developers/docs/resources/channel. Discord has no archive for text channels: one
 * that is dropped is deleted with its messages, so only what this run made ever is.
 */
async function makeOnDiscord(
  place: Discord,
  name: string,
  mark: string,
  env: Environment,
): Promise<MadeChannel> {
  const rest = discord(place, env);
  const { members } = place;
  const found = await discordChannel(rest, place, name);
  if (found !== undefined) {
    const owner = whose(textOf(found, "topic"), mark);
    if (owner === "others")
      throw new JobError("exists", `there is a channel "${name}" on this server already`);
    return { id: snowflake(found), created: owner === "this run", restored: false, members };
  }
  const made = await rest.must("POST", `/guilds/${place.server}/channels`, "make a channel", {
    name,
    type: 0,
    topic: describe(`Agent ${name}`, mark),
  });
  return { id: snowflake(made), created: true, restored: false, members };
}

async function dropOnDiscord(
  place: Discord,
  wanted: Wanted,
  env: Environment,
): Promise<{ readonly dropped: boolean }> {
  if (wanted.mark === undefined) return { dropped: false };
  const rest = discord(place, env);
  const found = await discordChannel(rest, place, wanted.name);
  if (found === undefined || whose(textOf(found, "topic"), wanted.mark) !== "this run")
    return { dropped: false };
  await rest.must("DELETE", `/channels/${snowflake(found)}`, "delete the channel");
  return { dropped: true };
}

function discord({ api, variable }: Discord, env: Environment): Rest {
  return new Rest("discord", api, `Bot ${env[variable] ?? ""}`);
}

async function discordChannel(rest: Rest, place: Discord, name: string): Promise<unknown> {
  const all = await rest.must("GET", `/guilds/${place.server}/channels`, "list the channels");
  return Array.isArray(all)
    ? all.find((each) => textOf(each, "name") === name && valueOf(each, "type") === 0)
    : undefined;
}

function snowflake(channel: unknown): string {
  const id = textOf(channel, "id") ?? "";
  if (!/^\d{15,21}$/.test(id)) throw new JobError("refused", "discord gives a channel without id");
  return id;
}
