import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { get as getHttps, request as requestHttps } from "node:https";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { caddyfile } from "./caddySite.ts";
import { fail2ban } from "./fail2ban.ts";
import { firewall } from "./firewall.ts";

/** Why a check by a real program is skipped; where CI says it is there, a failure. */
function lacks(program: string): string | false {
  if (spawnSync("sh", ["-c", `command -v ${program}`]).status === 0) return false;
  if (process.env["CI"] === "true") throw new Error(`this machine lacks ${program}`);
  return `needs ${program} (./dev test installs it)`;
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test(
  "firewall(): nft takes it, and lets in 22 and 443 alone",
  { skip: lacks("nft") || (process.getuid?.() === 0 ? false : "needs root") },
  () => {
    const check = (text: string) =>
      spawnSync("nft", ["-c", "-f", "-"], { input: text, encoding: "utf8" });
    const { status, stderr } = check(firewall());
    assert.equal(status, 0, stderr);
    assert.notEqual(check(firewall().replace("policy drop", "policy frobnicate")).status, 0);
    const ports = [...firewall().matchAll(/tcp dport (\d+)/g)].map(([, port]) => port);
    assert.deepEqual(new Set(ports), new Set(["22", "443"]));
  },
);

describe("caddyfile()", { skip: lacks("caddy") }, () => {
  let folder: string;
  let gateway: Server;
  let caddy: ChildProcess;
  let port: number;
  /** Requests that came to the gateway whole. */
  let answered = 0;
  let ca: Buffer;
  const seen: IncomingMessage[] = [];
  const domain = "bots.seawall.test";

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "seawall-caddy-"));
    chmodSync(folder, 0o700);
    gateway = createServer((request, response) => {
      seen.push(request);
      request.resume().once("end", () => {
        answered++;
        response.setHeader("server", "gateway").setHeader("x-frame-options", "ALLOWALL");
        response.statusCode = request.headers.authorization === "Bearer right" ? 200 : 401;
        response.end("from the gateway");
      });
      request.once("error", () => undefined);
    });
    gateway.on("upgrade", (request, socket) => {
      seen.push(request);
      socket.on("error", () => undefined);
      socket.end(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
      );
    });
    gateway.listen(0, "127.0.0.1");
    await once(gateway, "listening");
    port = await freePort();
    const text = caddyfile(
      [
        {
          bot: "basecamp",
          domain,
          ingress: (gateway.address() as AddressInfo).port,
          issuer: "internal",
          port,
          log: join(folder, "access.log"),
        },
      ],
      join(folder, "storage"),
    );
    // Its authority must not be put among this machine's.
    const file = join(folder, "Caddyfile");
    writeFileSync(file, text.replace("{\n\tadmin off", "{\n\tskip_install_trust\n\tadmin off"));
    caddy = spawn("caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
      stdio: "ignore",
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: folder,
        XDG_DATA_HOME: folder,
        XDG_CONFIG_HOME: folder,
      },
    });
    const root = join(folder, "storage/pki/authorities/local/root.crt");
    for (let tries = 0; tries < 200 && !existsSync(root); tries++) await wait(50);
    ca = readFileSync(root);
    for (let tries = 0; tries < 100; tries++) {
      if ((await visit({}).catch(() => undefined)) !== undefined) break;
      await wait(50);
    }
    seen.length = 0;
  });
  after(async () => {
    const ended = once(caddy, "close");
    caddy.kill("SIGTERM");
    await ended;
    gateway.closeAllConnections();
    gateway.close();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Reply {
    readonly status: number;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
  }

  function visit(headers: Record<string, string>, body?: Buffer): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const call = requestHttps(
      {
        host: "127.0.0.1",
        port,
        servername: domain,
        ca,
        path: "/v1/x",
        method: body === undefined ? "GET" : "POST",
        headers: { host: `${domain}:${port}`, ...headers },
        agent: false,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.once("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    call.once("error", reject);
    call.end(body);
    return promise;
  }

  test("is taken by caddy validate, with ACME too", () => {
    const text = caddyfile(
      [
        {
          bot: "b",
          domain: "bots.example.com",
          ingress: 18789,
          issuer: "acme",
          port: 443,
          log: join(folder, "other.log"),
        },
      ],
      join(folder, "other"),
    );
    const file = join(folder, "Other");
    writeFileSync(file, text);
    const { status, stderr } = spawnSync(
      "caddy",
      ["validate", "--config", file, "--adapter", "caddyfile"],
      {
        encoding: "utf8",
        env: { PATH: process.env["PATH"] ?? "", HOME: folder },
      },
    );
    assert.equal(status, 0, stderr);
    assert.match(text, /disable_http_challenge/);
  });

  test("serves with TLS, security headers, and the loopback's names towards the ingress", async () => {
    const { status, headers, body } = await visit({
      authorization: "Bearer right",
      origin: `https://${domain}:${port}`,
    });
    assert.equal(status, 200);
    assert.equal(body, "from the gateway");
    assert.match(headers["strict-transport-security"] ?? "", /max-age=31536000/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["x-frame-options"], "DENY");
    assert.equal(headers.server, undefined);
    const request = seen.at(-1);
    const { port: inner } = gateway.address() as AddressInfo;
    assert.equal(request?.headers.host, `127.0.0.1:${inner}`);
    assert.equal(request.headers.origin, `http://127.0.0.1:${inner}`);
  });

  test("refuses pages of other sites, before the ingress sees them", async () => {
    const before = seen.length;
    for (const origin of [
      "https://evil.example",
      `https://${domain}.evil.example`,
      "null",
      `http://${domain}:${port}`,
    ]) {
      assert.equal((await visit({ origin, authorization: "Bearer right" })).status, 403, origin);
    }
    assert.equal(seen.length, before);
  });

  test("refuses a body that is too large", async () => {
    const before = answered;
    // It may hang up before it has been sent all, and its answer is lost then.
    const outcome = await visit({ authorization: "Bearer right" }, Buffer.alloc(17_000_000)).then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    assert.ok([413, 400, 502, "ECONNRESET", "EPIPE"].includes(outcome ?? ""), String(outcome));
    assert.equal(answered, before);
    const small = await visit({ authorization: "Bearer right" }, Buffer.alloc(1_000_000));
    assert.equal(small.status, 200);
  });

  test("passes WebSockets on", async () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const call = getHttps({
      host: "127.0.0.1",
      port,
      servername: domain,
      ca,
      path: "/",
      agent: false,
      headers: {
        host: `${domain}:${port}`,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "sec-websocket-version": "13",
      },
    });
    call.once("error", reject);
    call.once("response", ({ statusCode }) => reject(new Error(`answered ${statusCode ?? 0}`)));
    call.once("upgrade", (_response, socket, head: Buffer) => {
      socket.on("error", () => undefined);
      let text = head.toString();
      if (text.includes("hello")) resolve(text);
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes("hello")) resolve(text);
      });
    });
    assert.match(await promise, /hello/);
  });

  test(
    "fail2ban's filter finds wrong tokens in its log, and nothing that a visitor can forge",
    { skip: lacks("fail2ban-regex") },
    async () => {
      const log = join(folder, "access.log");
      const lines = (): string[] =>
        existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
      const start = lines().length;
      const forged =
        `x","status":401,"a":"` +
        `{"remote_ip":"6.6.6.6","headers":{"Authorization":["y"]},"status":401,`;
      await visit({ authorization: "Bearer wrong" });
      await visit({});
      await visit({ authorization: "Bearer right", "user-agent": forged, referer: forged });
      for (let tries = 0; tries < 100 && lines().length < start + 3; tries++) await wait(20);
      const sample = join(folder, "sample.log");
      writeFileSync(sample, `${lines().slice(start).join("\n")}\n`);
      const filter = join(folder, "seawall-gateway.conf");
      writeFileSync(filter, fail2ban(log).filter);
      const { stdout, stderr } = spawnSync("fail2ban-regex", ["--out", "ip", sample, filter], {
        encoding: "utf8",
      });
      assert.equal(stdout.trim(), "127.0.0.1", `${stdout}${stderr}${readFileSync(sample, "utf8")}`);
      assert.ok(!readFileSync(sample, "utf8").includes("Bearer"));
    },
  );
});
