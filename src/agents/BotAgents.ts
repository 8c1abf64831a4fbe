import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { DeclaredAgents, DeclaredBot, DeclaredGrant } from "../declaration/index.ts";
import type { LoadedDeclaration } from "../host/index.ts";
import { AgentError } from "./AgentError.ts";
import type { AgentTools, ChannelKind } from "./AgentFiles.ts";
import type { ChannelPlace, GivenFile, RepositoryPlace } from "./inside/Job.ts";

const REPOSITORIES = ["gitea", "github", "path"] as const;
const CHANNELS = ["mattermost", "telegram", "discord"] as const;
/** What all workspaces have in common. */
const SHARED = ["USER.md", "TOOLS.md"];
const MOST_BYTES = 8 * 1024 * 1024;

type Grants = Record<string, DeclaredGrant>;

/** What the declaration says of one bot's agents, in the terms of the programs that do the work. */
export class BotAgents {
  readonly bot: string;
  readonly #declared: DeclaredAgents;
  readonly #grants: DeclaredBot["grants"];
  readonly #folder: string;

  /** @throws AgentError `not-declared` */
  constructor(loaded: Pick<LoadedDeclaration, "declaration" | "file">, bot: string) {
    const { bots } = loaded.declaration;
    const found = Object.hasOwn(bots, bot) ? bots[bot] : undefined;
    if (found === undefined) {
      throw new AgentError("not-declared", "there is no such bot", {
        hint: `bots are: ${Object.keys(bots).join(", ")}`,
      });
    }
    if (found.agents === undefined) {
      throw new AgentError("not-declared", `bot "${bot}" isn't declared to have agents`, {
        hint: 'say how they are made under its "agents" (docs/agents.md), and put that in force',
      });
    }
    this.bot = bot;
    this.#declared = found.agents;
    this.#grants = found.grants;
    this.#folder = dirname(loaded.file);
  }

  /** @throws AgentError `not-declared` */
  repositoryKind(asked: string | undefined): RepositoryPlace["kind"] {
    const declared = REPOSITORIES.filter(
      (kind) => this.#declared.repositories?.[kind] !== undefined,
    );
    return choose("repositories", asked, declared);
  }

  /** None where none is declared, or `none` is asked for. */
  channelKind(asked: string | undefined): ChannelKind | undefined {
    const declared = CHANNELS.filter((kind) => this.#declared.channels?.[kind] !== undefined);
    if (asked === "none" || (asked === undefined && declared.length === 0)) return undefined;
    return choose("channels", asked, declared);
  }

  /** @param asked by --tools. None: in the bot's wall. */
  tools(asked: "bot" | AgentTools | undefined): AgentTools | undefined {
    const tools = asked ?? this.#declared.tools;
    return tools === "bot" ? undefined : tools;
  }

  /** @param bare where jobs see a repository of this host. */
  repositoryPlace(kind: RepositoryPlace["kind"], bare: string): RepositoryPlace {
    if (kind === "path") return { kind, path: bare };
    const { owner } = this.#hosted(kind);
    if (kind === "github")
      return {
        kind,
        owner,
        api: "https://api.github.com",
        web: "https://github.com",
        variable: "GH_TOKEN",
      };
    const web = this.#grant("gitea", this.#hosted(kind).grant).url ?? "https://gitea.com";
    return { kind, owner, api: `${web}/api/v1`, web, variable: "GITEA_TOKEN" };
  }

  /** Folder of this host that a bare repository is in. */
  bareFolder(name: string): string {
    const path = this.#declared.repositories?.path;
    if (path === undefined) throw notDeclared("repositories", "path");
    return join(path, `${name}.git`);
  }

  channelPlace(kind: ChannelKind): ChannelPlace | undefined {
    const { mattermost, discord } = this.#declared.channels ?? {};
    if (kind === "telegram") return undefined;
    if (kind === "mattermost") {
      if (mattermost === undefined) throw notDeclared("channels", kind);
      const { team, members } = mattermost;
      const url = this.#grant("mattermost", mattermost.grant).url ?? "";
      return {
        kind,
        api: `${url}/api/v4`,
        variable: "MATTERMOST_BOT_TOKEN",
        team,
        members,
        private: mattermost.private,
      };
    }
    if (discord === undefined) throw notDeclared("channels", kind);
    const { server, members } = discord;
    return {
      kind,
      api: "https://discord.com/api/v10",
      variable: "DISCORD_BOT_TOKEN",
      server,
      members,
    };
  }

  telegramMembers(): readonly string[] {
    return (this.#declared.channels?.telegram?.members ?? []).map(String);
  }

  /** What the calls to make and drop repositories and channels need, and no more. */
  apiGrants(kind: RepositoryPlace["kind"], channel: ChannelKind | undefined): Grants {
    const grants: Grants = {};
    if (kind !== "path") {
      const { owner, grant, secret } = this.#hosted(kind);
      const api = kind === "gitea" ? "/api/v1" : "api.github.com";
      grants[grant ?? kind] = this.#limited(kind, grant, secret, [
        `GET ${api}/user`,
        `POST ${api}/user/repos`,
        `POST ${api}/orgs/${owner}/repos`,
        ...["GET", "PATCH", "DELETE"].map((method) => `${method} ${api}/repos/${owner}/*`),
      ]);
    }
    const { mattermost, discord } = this.#declared.channels ?? {};
    if (channel === "mattermost" && mattermost !== undefined) {
      const api = "/api/v4";
      grants[mattermost.grant ?? channel] = this.#limited(
        channel,
        mattermost.grant,
        mattermost.secret,
        [
          `GET ${api}/users/me`,
          `GET ${api}/users/username/*`,
          `GET ${api}/teams/name/*`,
          `GET ${api}/teams/*/channels/name/*`,
          `POST ${api}/channels`,
          `GET ${api}/channels/*`,
          `DELETE ${api}/channels/*`,
          `POST ${api}/channels/*/restore`,
          `POST ${api}/channels/*/members`,
        ],
      );
    }
    if (channel === "discord" && discord !== undefined) {
      grants[discord.grant ?? channel] = this.#limited(channel, discord.grant, discord.secret, [
        `GET discord.com/api/v10/guilds/${discord.server}/channels`,
        `POST discord.com/api/v10/guilds/${discord.server}/channels`,
        "DELETE discord.com/api/v10/channels/*",
      ]);
    }
    return grants;
  }

  /** Git for these repositories, and nothing else: what works on a workspace holds this only. */
  gitGrants(
    repositories: readonly { readonly kind: RepositoryPlace["kind"]; readonly name: string }[],
  ): Grants {
    const grants: Grants = {};
    for (const kind of ["gitea", "github"] as const) {
      const names = repositories.filter((each) => each.kind === kind).map(({ name }) => name);
      if (names.length === 0) continue;
      const { owner, grant, secret } = this.#hosted(kind);
      grants[grant ?? kind] = this.#limited(
        kind,
        grant,
        secret,
        names.map((name) => ({ git: `${owner}/${name}`, access: "write" as const })),
      );
    }
    return grants;
  }

  /** The files that a new workspace begins with. @param asked absolute; the declaration's if absent. */
  template(asked: string | undefined): GivenFile[] {
    const folder = asked ?? this.#path(this.#declared.template);
    return folder === undefined ? [] : readFiles(folder);
  }

  shared(): GivenFile[] {
    const folder = this.#path(this.#declared.shared);
    return folder === undefined
      ? []
      : readFiles(folder).filter(({ path }) => SHARED.includes(path));
  }

  /** Skills of all agents; the same files for all. */
  skills(): GivenFile[] {
    const folder = this.#path(this.#declared.skills);
    return folder === undefined ? [] : readFiles(folder);
  }

  #path(declared: string | undefined): string | undefined {
    return declared === undefined ? undefined : resolve(this.#folder, declared);
  }

  #hosted(kind: "gitea" | "github") {
    const found = this.#declared.repositories?.[kind];
    if (found === undefined) throw notDeclared("repositories", kind);
    return found;
  }

  #grant(service: string, name = service): DeclaredGrant {
    const found = Object.hasOwn(this.#grants, name) ? this.#grants[name] : undefined;
    if (found === undefined) throw notDeclared("grants", name);
    return found;
  }

  /** Who and where as the bot's grant has it, and these calls in place of the bot's. */
  #limited(
    service: string,
    name: string | undefined,
    secret: string | undefined,
    allow: NonNullable<DeclaredGrant["allow"]>,
  ): DeclaredGrant {
    const { url, dial, secret: own } = this.#grant(service, name);
    const used = secret ?? own;
    return {
      ...(used === undefined ? {} : { secret: used }),
      ...(url === undefined ? {} : { url }),
      ...(dial === undefined ? {} : { dial }),
      allow,
    };
  }
}

function choose<Kind extends string>(
  part: string,
  asked: string | undefined,
  declared: readonly Kind[],
): Kind {
  const found = asked === undefined ? declared[0] : declared.find((kind) => kind === asked);
  if (found !== undefined) return found;
  throw notDeclared(part, asked !== undefined && /^[\w-]{1,20}$/.test(asked) ? asked : undefined);
}

function notDeclared(part: string, kind: string | undefined): AgentError {
  const what = kind === undefined ? `no ${part} are` : `no "${kind}" is`;
  return new AgentError("not-declared", `${what} declared for this bot's agents`, {
    hint: `say where under the bot's "agents", "${part}" (docs/agents.md)`,
  });
}

/** A folder of the owner's, file by file. Links and what isn't a file are left out. */
function readFiles(root: string): GivenFile[] {
  let left = MOST_BYTES;
  const files: GivenFile[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(join(root, folder)).toSorted()) {
      if (name === ".git") continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      const stats = lstatSync(join(root, path));
      if (stats.isDirectory()) walk(path);
      if (!stats.isFile()) continue;
      left -= stats.size;
      if (left < 0) throw new RangeError("too much");
      const executable = (stats.mode & 0o100) !== 0 ? { executable: true as const } : {};
      files.push({
        path,
        base64: readFileSync(join(root, path)).toString("base64"),
        ...executable,
      });
    }
  };
  try {
    walk("");
  } catch (cause) {
    throw new AgentError("workspace", "a folder that the declaration names can't be read", {
      where: root,
      hint: "it has to be a folder with files of at most 8 MB together",
      cause,
    });
  }
  return files;
}
