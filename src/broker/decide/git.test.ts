import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { canary, TestBroker } from "../testing/TestBroker.ts";

const run = promisify(execFile);

function lacksGit(): string | false {
  try {
    execFileSync("git", ["http-backend"], { stdio: "ignore", env: { PATH: process.env["PATH"] } });
    return false;
  } catch (error) {
    // It answers 500 to a request of nothing and exits 1; a missing one is no command of git's.
    return error instanceof Error && "status" in error && error.status === 1
      ? false
      : "git with http-backend is missing";
  }
}

/** What a server does with a program that speaks CGI (RFC 3875): its head becomes the reply's. */
function serveCgi(
  request: IncomingMessage,
  response: ServerResponse,
  env: Readonly<Record<string, string>>,
): void {
  const url = new URL(request.url ?? "", "http://x");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      GIT_HTTP_EXPORT_ALL: "1",
      ...env,
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf("\r\n\r\n");
    for (const line of all.toString("latin1", 0, end).split("\r\n")) {
      const [name = "", value = ""] = line.split(": ");
      if (name === "Status") response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(all.subarray(end + 4));
  });
}

describe("git over HTTPS", { skip: lacksGit() }, () => {
  let t: TestBroker;
  let grant: InjectBrokerGrant;
  let seen: IncomingMessage[];
  const folder = mkdtempSync(join(tmpdir(), "seawall-git-"));
  const secret = canary("ghp_real");
  const host = { name: "git.test", address: "" };

  /** The git in the wall: it has the deployment's CA and the phantom, and asks no person. */
  const git = async (directory: string, password: string, ...words: string[]): Promise<string> => {
    const settings = [
      `http.sslCAInfo=${join(folder, "ca.pem")}`,
      `http.curloptResolve=${host.name}:${t.port}:${host.address}`,
      "http.postBuffer=100000",
      `credential.helper=!f() { echo username=x-access-token; echo password=${password}; }; f`,
      "user.name=bot",
      "user.email=bot@example.com",
      "init.defaultBranch=main",
    ];
    const { stdout, stderr } = await run(
      "git",
      ["-C", directory, ...settings.flatMap((each) => ["-c", each]), ...words],
      {
        env: {
          PATH: process.env["PATH"],
          HOME: folder,
          GIT_CONFIG_NOSYSTEM: "1",
          GIT_TERMINAL_PROMPT: "0",
        },
      },
    );
    return stdout + stderr;
  };
  const url = (): string => `https://${host.name}:${t.port}/team/repo.git`;

  before(async () => {
    // git's own programs start slowly where others are busy.
    const slow = 10_000;
    t = await TestBroker.start({
      timeouts: { clientHello: slow, connect: slow, head: slow, mint: slow },
    });
    t.secrets.set("git", secret);
    writeFileSync(join(folder, "ca.pem"), t.authority.ca);
    const projects = join(folder, "projects");
    mkdirSync(join(projects, "team"), { recursive: true });
    const expected = `Basic ${Buffer.from(`x-access-token:${secret}`).toString("base64")}`;
    const upstream = await t.upstream(["git.test"], (request, response) => {
      if (request.headers.authorization !== expected) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="upstream"' }).end();
        return;
      }
      serveCgi(request, response, { GIT_PROJECT_ROOT: projects, REMOTE_USER: "bot" });
    });
    seen = upstream.requests;
    host.address = t.nextAddress();
    grant = {
      kind: "inject",
      name: "git",
      service: "git",
      hosts: [{ name: host.name, port: t.port, scheme: "https", v4: host.address }],
      secret: "git",
      phantom: canary("ghp_fake"),
      places: [{ in: "basic", part: "password" }],
      challenge: 'Basic realm="git"',
      rules: [
        { method: "GET", path: "/team/repo.git/info/refs" },
        { method: "POST", path: "/team/repo.git/git-upload-pack" },
        { method: "POST", path: "/team/repo.git/git-receive-pack" },
      ],
      anonymous: [],
      dial: { host: "127.0.0.1", port: upstream.port, ca: t.upstreamAuthority.ca },
    };
    await t.bot("basecamp", [grant]);
    await t.bot("erdos", [{ ...grant, phantom: canary("ghp_other"), hosts: [] }]);
    assert.deepEqual(await t.configure(), { type: "configured" });

    await run("git", ["init", "--bare", "-b", "main", join(projects, "team", "repo.git")]);
    const work = join(folder, "made");
    mkdirSync(work);
    await git(work, "", "init", "-q");
    writeFileSync(join(work, "a.txt"), "first\n");
    await git(work, "", "add", "a.txt");
    await git(work, "", "commit", "-q", "-m", "first");
    // Many ends, so that what a clone asks for is long enough for git to compress it.
    for (let index = 0; index < 60; index += 1) {
      await git(work, "", "commit", "-q", "--allow-empty", "-m", `branch ${index}`);
      await git(work, "", "branch", `b${index}`);
    }
    await git(work, "", "push", "-q", join(projects, "team", "repo.git"), "--all");
  });
  after(async () => {
    await t.end();
    rmSync(folder, { recursive: true, force: true });
  });

  test("a clone sends its credential when the broker asks for it, and gets the repository", async () => {
    await git(folder, grant.phantom, "clone", "-q", url(), "cloned");
    assert.equal(readFileSync(join(folder, "cloned", "a.txt"), "utf8"), "first\n");
    await t.record((each) => each.code === "no-credential" && each.status === 401);
    const asked = seen.filter((each) => each.method === "POST");
    assert.ok(asked.length > 0);
    // It was compressed on the way to the broker, and isn't any more.
    assert.ok(asked.every((each) => each.headers["content-encoding"] === undefined));
    assert.ok(asked.some((each) => each.headers["transfer-encoding"] === "chunked"));
  });

  test("a push goes through, large ones in chunks", async () => {
    const work = join(folder, "cloned");
    writeFileSync(join(work, "b.bin"), randomBytes(300_000));
    await git(work, grant.phantom, "add", "b.bin");
    await git(work, grant.phantom, "commit", "-q", "-m", "second");
    await git(work, grant.phantom, "push", "-q", "origin", "HEAD:main");
    const { stdout } = await run("git", [
      "-C",
      join(folder, "projects", "team", "repo.git"),
      "log",
      "-1",
      "--format=%s",
      "main",
    ]);
    assert.equal(stdout, "second\n");
  });

  test("the same credential in a URL works", async () => {
    const named = url().replace("https://", `https://x-access-token:${grant.phantom}@`);
    assert.match(await git(folder, "", "ls-remote", named, "main"), /refs\/heads\/main/);
  });

  test("another credential, another bot's phantom and another repository get nothing", async () => {
    const before = seen.length;
    await assert.rejects(git(folder, "ghp_mallory", "ls-remote", url()), /403/);
    await t.record((each) => each.code === "foreign-credential");
    const stranger = t.bots[1]?.grants[0];
    assert.ok(stranger?.kind === "inject");
    await assert.rejects(git(folder, stranger.phantom, "ls-remote", url()), /403/);
    await t.record((each) => each.code === "foreign-phantom");
    const other = url().replace("repo.git", "other.git");
    await assert.rejects(git(folder, grant.phantom, "ls-remote", other), /403/);
    assert.equal(seen.length, before);
  });

  test("neither secret nor phantom is recorded", () => {
    const all = t.everything();
    for (const text of [secret, grant.phantom])
      for (const spelled of [text, Buffer.from(`x-access-token:${text}`).toString("base64")])
        assert.ok(!all.includes(spelled));
  });
});
