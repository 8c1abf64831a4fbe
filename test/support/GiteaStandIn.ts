import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Leaf } from "../../src/authority/index.ts";
import { sendJson, serveHttps, type FullRequest } from "../../src/demo/index.ts";

export interface GiteaCall {
  readonly method: string;
  readonly path: string;
  readonly accepted: boolean;
}

/** What a call gets instead of its answer: a status, or nothing at all. */
export type Failure = number | "drop" | undefined;

interface Repository {
  readonly name: string;
  readonly owner: string;
  readonly private: boolean;
  description: string;
  archived: boolean;
}

/**
 * A Gitea of our own: the calls of its API that are used, and git's smart protocol by the real
 * `git http-backend`(1). One token; an organisation, and the account's own name.
 */
export interface GiteaStandIn extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly origin: string;
  readonly calls: readonly GiteaCall[];
  readonly repositories: ReadonlyMap<string, Repository>;
  failWith: (call: { readonly method: string; readonly path: string }) => Failure;
  /** Called with each call before it is answered. */
  onCall: (call: { readonly method: string; readonly path: string }) => void;
  /** The bare repository's folder. */
  bare(name: string): string;
  /** Runs git in it. */
  git(name: string, args: readonly string[]): string;
  /** Stops answering, as a server that is down; and begins again, at the same place. */
  readonly folder: string;
}

export const ORGANISATION = "nixclaw";
const ACCOUNT = "operator";

/** @param leaf for TLS; plain HTTP without. */
export async function startGiteaStandIn(token: string, leaf?: Leaf): Promise<GiteaStandIn> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-gitea-"));
  const gitea = new Gitea(token, folder);
  const answer = (request: FullRequest, response: ServerResponse): void | Promise<void> =>
    gitea.answer(request, response);
  const server = leaf === undefined ? await servePlain(answer) : await serveHttps(leaf, answer);
  return {
    host: "127.0.0.1",
    port: server.port,
    origin: `${leaf === undefined ? "http" : "https"}://127.0.0.1:${server.port}`,
    folder,
    calls: gitea.calls,
    repositories: gitea.repositories,
    get failWith() {
      return gitea.failWith;
    },
    set failWith(decide) {
      gitea.failWith = decide;
    },
    get onCall() {
      return gitea.onCall;
    },
    set onCall(hear) {
      gitea.onCall = hear;
    },
    bare: (name) => gitea.bare(ORGANISATION, name),
    git: (name, args) => {
      const path = gitea.bare(ORGANISATION, name);
      const ran = spawnSync("git", ["--git-dir", path, ...args], { encoding: "utf8" });
      if (ran.status !== 0) throw new Error(`git ${args.join(" ")}: ${ran.stderr}`);
      return ran.stdout.trim();
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

class Gitea {
  readonly calls: GiteaCall[] = [];
  readonly repositories = new Map<string, Repository>();
  failWith: GiteaStandIn["failWith"] = () => undefined;
  onCall: GiteaStandIn["onCall"] = () => undefined;
  readonly #token: string;
  readonly #folder: string;

  constructor(token: string, folder: string) {
    this.#token = token;
    this.#folder = folder;
  }

  bare(owner: string, name: string): string {
    return join(this.#folder, owner, `${name}.git`);
  }

  async answer(request: FullRequest, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request;
    const path = url.pathname;
    const accepted = this.#accepts(headers.authorization);
    this.calls.push({ method, path, accepted });
    this.onCall({ method, path });
    const failure = this.failWith({ method, path });
    if (failure === "drop") return void response.destroy();
    if (failure !== undefined) return sendJson(response, failure, { message: "stand-in" });
    const git =
      /^\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/(info\/refs|git-(?:upload|receive)-pack)$/.exec(path);
    if (!accepted) {
      response.setHeader("www-authenticate", 'Basic realm="Gitea"');
      return sendJson(response, 401, { message: "invalid username, password or token" });
    }
    if (git !== null) return this.#git(git[1] ?? "", git[2] ?? "", git[3] ?? "", request, response);
    this.#api(request, response);
  }

  #accepts(authorization = ""): boolean {
    if (authorization === `token ${this.#token}` || authorization === `Bearer ${this.#token}`)
      return true;
    const basic = /^Basic (.+)$/.exec(authorization)?.[1];
    return Buffer.from(basic ?? "", "base64")
      .toString()
      .endsWith(`:${this.#token}`);
  }

  #api({ method, url, body }: FullRequest, response: ServerResponse): void {
    const path = url.pathname.replace(/^\/api\/v1/, "");
    const said = (): Record<string, unknown> =>
      JSON.parse(body.toString()) as Record<string, unknown>;
    if (method === "GET" && path === "/user") return sendJson(response, 200, { login: ACCOUNT });
    const made = /^\/(?:orgs\/([\w.-]+)|user)\/repos$/.exec(path);
    if (method === "POST" && made !== null) {
      const owner = path.startsWith("/user") ? ACCOUNT : made[1];
      if (owner !== ORGANISATION && owner !== ACCOUNT)
        return sendJson(response, 404, { message: "GetOrgByName" });
      if (owner === ACCOUNT && !path.startsWith("/user"))
        return sendJson(response, 404, { message: "GetOrgByName" });
      return this.#create(owner, said(), response);
    }
    const [, owner = "", name = ""] = /^\/repos\/([\w.-]+)\/([\w.-]+)$/.exec(path) ?? [];
    const found = this.repositories.get(`${owner}/${name}`);
    if (found === undefined)
      return sendJson(response, 404, { message: "The target couldn't be found." });
    if (method === "GET") return sendJson(response, 200, found);
    if (method === "PATCH") {
      const change = said();
      if (typeof change["archived"] === "boolean") found.archived = change["archived"];
      if (typeof change["description"] === "string") found.description = change["description"];
      return sendJson(response, 200, found);
    }
    if (method === "DELETE") {
      this.repositories.delete(`${owner}/${name}`);
      rmSync(this.bare(owner, name), { recursive: true, force: true });
      response.writeHead(204).end();
      return;
    }
    return sendJson(response, 405, { message: "method" });
  }

  #create(owner: string, wanted: Record<string, unknown>, response: ServerResponse): void {
    const name = String(wanted["name"]);
    if (!/^[\w.-]{1,100}$/.test(name)) return sendJson(response, 422, { message: "name" });
    if (this.repositories.has(`${owner}/${name}`))
      return sendJson(response, 409, {
        message: "The repository with the same name already exists.",
      });
    const repository: Repository = {
      name,
      owner,
      private: wanted["private"] === true,
      description: typeof wanted["description"] === "string" ? wanted["description"] : "",
      archived: false,
    };
    const path = this.bare(owner, name);
    mkdirSync(path, { recursive: true });
    spawnSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", path]);
    spawnSync("git", ["--git-dir", path, "config", "http.receivepack", "true"]);
    this.repositories.set(`${owner}/${name}`, repository);
    sendJson(response, 201, repository);
  }

  /** CGI (RFC 3875), as git-http-backend(1) has it. */
  async #git(
    owner: string,
    name: string,
    what: string,
    { method, url, headers, body }: FullRequest,
    response: ServerResponse,
  ): Promise<void> {
    const repository = this.repositories.get(`${owner}/${name}`);
    if (repository === undefined || !existsSync(this.bare(owner, name)))
      return sendJson(response, 404, { message: "Not found." });
    const writes =
      what === "git-receive-pack" || url.searchParams.get("service") === "git-receive-pack";
    if (writes && repository.archived) return sendJson(response, 403, { message: "archived" });
    const child = spawn("git", ["http-backend"], {
      env: {
        PATH: process.env["PATH"],
        GIT_PROJECT_ROOT: this.#folder,
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
        PATH_INFO: `/${owner}/${name}.git/${what}`,
        REQUEST_METHOD: method,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: headers["content-type"] ?? "",
        CONTENT_LENGTH: String(body.length),
        ...(headers["content-encoding"] === undefined
          ? {}
          : { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
        REMOTE_USER: ACCOUNT,
        REMOTE_ADDR: "127.0.0.1",
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    const parts: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => parts.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(body);
    await once(child, "close");
    const all = Buffer.concat(parts);
    const split = all.indexOf("\r\n\r\n");
    const head = all.subarray(0, split).toString().split("\r\n");
    let status = 200;
    for (const line of head) {
      const [key = "", ...rest] = line.split(": ");
      if (key.toLowerCase() === "status") status = Number.parseInt(rest.join(": "), 10);
      else response.setHeader(key, rest.join(": "));
    }
    response.writeHead(status);
    response.end(all.subarray(split + 4));
  }
}

async function servePlain(
  answer: (request: FullRequest, response: ServerResponse) => void | Promise<void>,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (chunk: Buffer) => parts.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://stand-in.invalid");
      const { method = "", headers } = request;
      void (async () =>
        answer({ method, url, headers, body: Buffer.concat(parts) }, response))().catch(() =>
        response.destroy(),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
