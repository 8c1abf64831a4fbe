import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { lacking } from "../../../test/support/lacking.ts";
import type { BrokerGrant } from "../BrokerConfig.ts";
import { catalogueBots } from "../testing/catalogueBots.ts";
import { canary, freePort, TestBroker } from "../testing/TestBroker.ts";

const ROOT = process.getuid?.() === 0;
const NOBODY = 65534;

/** Whatever a real server's program prints, for when it doesn't come up. */
async function listening(port: number, child: ChildProcess): Promise<void> {
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended: ${said}`);
    const reached = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (reached) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { env: { PATH: process.env["PATH"] ?? "", ...env }, timeout: 30_000, maxBuffer: 64 << 20 },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
      },
    );
  });
}

function stop(child: ChildProcess | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) resolve();
    else {
      child.once("close", () => resolve());
      child.kill("SIGINT");
    }
  });
}

/** A bot with one grant, whose host is at an address of its own that only the broker listens at. */
async function botWith(
  t: TestBroker,
  service: "imap" | "smtp" | "postgres",
  server: string,
  dial: { host: string; port: number; ca?: string },
  tls: "first" | "later",
): Promise<{ grant: Extract<BrokerGrant, { kind: "inject" }>; address: string }> {
  const { grants } = catalogueBots(
    {
      secrets: { s: { vault: service } },
      bots: { basecamp: { [service]: { secret: "s", server } } },
    },
    dial,
  );
  const [grant] = grants.get("basecamp") ?? [];
  assert.ok(grant?.kind === "inject" && grant.login !== undefined);
  const [host] = grant.hosts;
  assert.ok(host);
  const address = net.isIP(host.name) === 0 ? t.nextAddress() : host.name;
  const { v6: _v6, ...rest } = host;
  const placed = {
    ...grant,
    secret: service,
    login: { ...grant.login, tls },
    hosts: [{ ...rest, port: t.port, v4: address }],
  };
  t.bots.length = 0;
  await t.bot("basecamp", [placed]);
  assert.deepEqual(await t.configure(), { type: "configured" });
  return { grant: placed, address };
}

const POSTGRES = [
  "/usr/local/bin",
  "/usr/lib/postgresql/15/bin",
  "/usr/lib/postgresql/16/bin",
  "/usr/lib/postgresql/17/bin",
].find((folder) => existsSync(join(folder, "initdb")));

describe(
  "PostgreSQL, the real one",
  {
    skip:
      POSTGRES === undefined || !ROOT
        ? "initdb (package postgresql) and root are needed"
        : lacking("psql", ["--version"]),
  },
  () => {
    let t: TestBroker;
    let server: ChildProcess | undefined;
    let port = 0;
    const folder = mkdtempSync(join(tmpdir(), "seawall-postgres-"));
    const data = join(folder, "data");

    before(async () => {
      t = await TestBroker.start();
      const password = canary("real-");
      t.secrets.set("postgres", password);
      chmodSync(folder, 0o755);
      mkdirSync(data, { mode: 0o700 });
      chownSync(data, NOBODY, NOBODY);
      const pw = join(folder, "pw");
      writeFileSync(pw, password, { mode: 0o444 });
      const as = {
        uid: NOBODY,
        gid: NOBODY,
        env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" },
      };
      execFileSync(
        join(POSTGRES ?? "", "initdb"),
        [
          "-D",
          data,
          "-U",
          "alice",
          "-A",
          "scram-sha-256",
          "--pwfile",
          pw,
          "-N",
          "--no-locale",
          "-E",
          "UTF8",
        ],
        { ...as, stdio: "pipe" },
      );
      rmSync(pw);
      const { chain, key } = await t.upstreamAuthority.issue(["db.example.test"]);
      writeFileSync(join(data, "server.crt"), chain, { mode: 0o600 });
      writeFileSync(join(data, "server.key"), key, { mode: 0o600 });
      for (const name of ["server.crt", "server.key"]) chownSync(join(data, name), NOBODY, NOBODY);
      port = await freePort();
      server = spawn(
        join(POSTGRES ?? "", "postgres"),
        [
          "-D",
          data,
          "-p",
          String(port),
          "-c",
          "listen_addresses=127.0.0.1",
          "-c",
          "unix_socket_directories=",
          "-c",
          "ssl=on",
          "-c",
          "fsync=off",
        ],
        { ...as, stdio: ["ignore", "ignore", "pipe"] },
      );
      await listening(port, server);
    });
    after(async () => {
      await stop(server);
      await t.end();
      rmSync(folder, { recursive: true, force: true });
    });

    function psql(
      address: string,
      password: string,
      sql: string,
      mode = "require",
    ): ReturnType<typeof run> {
      const url = `postgresql://alice@${address}:${t.port}/postgres?sslmode=${mode}&connect_timeout=10`;
      return run("psql", ["-Xqtc", sql, url], { PGPASSWORD: password, HOME: folder });
    }

    for (const mode of ["require", "disable"]) {
      test(`a bot with the phantom is logged in, sslmode=${mode} on its side, and queries`, async () => {
        const dial = { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca };
        const { grant, address } = await botWith(t, "postgres", "db.example.test", dial, "later");
        const end = await psql(
          address,
          grant.phantom,
          "select current_user, 6 * 7, ssl from pg_stat_ssl where pid = pg_backend_pid()",
          mode,
        );
        assert.equal(end.err, "");
        assert.match(end.out, /alice +\| +42 \| t/);
        const record = await t.record((each) => each.method === "LOGIN" && each.outcome === "done");
        assert.equal(record.grant, "postgres");
      });
    }

    test("megabytes pass both ways", async () => {
      const dial = { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca };
      const { grant, address } = await botWith(t, "postgres", "db.example.test", dial, "later");
      const end = await psql(address, grant.phantom, "select repeat('x', 3000000)");
      assert.equal(end.out.trim().length, 3_000_000);
    });

    test("another password never reaches the server, nor does the real one help a bot that has it", async () => {
      const dial = { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca };
      const { address } = await botWith(t, "postgres", "db.example.test", dial, "later");
      for (const password of ["guess", t.secrets.get("postgres") ?? ""]) {
        const end = await psql(address, password, "select 1");
        assert.equal(end.code, 2);
        assert.match(end.err, /not this bot's password \(Seawall\)/);
      }
      await t.record((each) => each.method === "LOGIN" && each.code === "foreign-credential");
    });

    test("a server whose certificate is another's gets nothing", async () => {
      const dial = { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca };
      const { grant, address } = await botWith(t, "postgres", "other.example.test", dial, "later");
      const end = await psql(address, grant.phantom, "select 1");
      assert.equal(end.code, 2);
      assert.match(end.err, /can't be reached with encryption/);
      await t.record((each) => each.method === "LOGIN" && each.code === "upstream-untrusted");
    });

    test("a server that wants no encryption, at a name, gets nothing", async () => {
      let heard = Buffer.alloc(0);
      const plain = await t.plainServer(
        net.createServer((socket) => {
          socket.on("data", (chunk: Buffer) => {
            heard = Buffer.concat([heard, chunk]);
            socket.write("N");
          });
        }),
      );
      const dial = { host: "127.0.0.1", port: plain };
      const { grant, address } = await botWith(t, "postgres", "db.example.test", dial, "later");
      const end = await psql(address, grant.phantom, "select 1");
      assert.equal(end.code, 2);
      assert.equal(heard.length, 8, "the question for TLS and nothing else");
    });

    test("the real password was nowhere in what the broker wrote", () => {
      assert.ok(!t.everything().includes(t.secrets.get("postgres") ?? "none"));
    });
  },
);

const IMAP = `
import imaplib, ssl, sys, os
how, address, port, user, password, ca = sys.argv[1:7]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = True
def sock(port_):
    import socket
    return socket.create_connection((address, int(port)), 10)
class Plain(imaplib.IMAP4):
    def _create_socket(self, timeout): return sock(0)
class First(imaplib.IMAP4_SSL):
    def _create_socket(self, timeout): return context.wrap_socket(sock(0), server_hostname="mail.example.test")
try:
    if how == "first": box = First("mail.example.test", int(port), ssl_context=context)
    else:
        box = Plain("mail.example.test", int(port))
        if how == "starttls": box.host = "mail.example.test"; box.starttls(context)
    if os.environ.get("WAY") == "plain":
        box.authenticate("PLAIN", lambda _: ("\\0" + user + "\\0" + password).encode())
    else: box.login(user, password)
    box.append("INBOX", None, None, b"Subject: hello\\r\\n\\r\\n" + b"x" * 200000)
    box.select("INBOX")
    print(len(box.search(None, "ALL")[1][0].split()), len(box.fetch(b"1", "(RFC822)")[1][0][1]))
    box.logout()
except (imaplib.IMAP4.error, OSError) as error: print("refused:", error)
`;

const SMTP = `
import smtplib, ssl, sys
how, address, port, user, password, ca = sys.argv[1:7]
context = ssl.create_default_context(cafile=ca)
import socket
class Plain(smtplib.SMTP):
    def _get_socket(self, host, port_, timeout): return socket.create_connection((address, int(port)), 10)
class First(smtplib.SMTP):
    def _get_socket(self, host, port_, timeout):
        return context.wrap_socket(socket.create_connection((address, int(port)), 10), server_hostname="mail.example.test")
try:
    mail = (First if how == "first" else Plain)("mail.example.test", int(port))
    if how == "starttls": mail._host = "mail.example.test"; mail.starttls(context=context)
    mail.login(user, password)
    mail.sendmail("alice@example.test", ["bob@example.test"], "Subject: tide\\r\\n\\r\\n" + "high\\r\\n" * 20000)
    mail.quit()
    print("sent")
except (smtplib.SMTPException, OSError) as error: print("refused:", error)
`;

describe(
  "mail, by the real Dovecot",
  { skip: ROOT ? lacking("dovecot", ["--version"]) : "root is needed" },
  () => {
    let t: TestBroker;
    let server: ChildProcess | undefined;
    const ports = { imap: 0, imaps: 0, submission: 0, submissions: 0 };
    const folder = mkdtempSync(join(tmpdir(), "seawall-dovecot-"));
    const sent: string[] = [];

    before(async () => {
      t = await TestBroker.start();
      const password = canary("real-");
      t.secrets.set("imap", password).set("smtp", password);
      chmodSync(folder, 0o755);
      const { chain, key } = await t.upstreamAuthority.issue(["mail.example.test"]);
      writeFileSync(join(folder, "cert.pem"), chain);
      writeFileSync(join(folder, "key.pem"), key);
      writeFileSync(join(folder, "wall.pem"), t.authority.ca, { mode: 0o644 });
      writeFileSync(
        join(folder, "users"),
        `alice:{PLAIN}${password}:${NOBODY}:${NOBODY}::${folder}/home\n`,
      );
      mkdirSync(join(folder, "home"));
      chownSync(join(folder, "home"), NOBODY, NOBODY);
      const relay = await t.plainServer(
        net.createServer((socket) => {
          takeMail(socket, sent);
        }),
      );
      ports.imap = await freePort();
      ports.imaps = await freePort();
      ports.submission = await freePort();
      ports.submissions = await freePort();
      writeFileSync(
        join(folder, "dovecot.conf"),
        `protocols = imap submission
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
listen = 127.0.0.1
ssl = required
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
first_valid_uid = 1
mail_location = maildir:~/mail
submission_relay_host = 127.0.0.1
submission_relay_port = ${relay}
submission_relay_trusted = yes
passdb {
  driver = passwd-file
  args = ${folder}/users
}
userdb {
  driver = passwd-file
  args = ${folder}/users
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
}
service submission-login {
  chroot =
  inet_listener submission {
    port = ${ports.submission}
  }
  inet_listener submissions {
    port = ${ports.submissions}
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`,
      );
      server = spawn("dovecot", ["-F", "-c", join(folder, "dovecot.conf")], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      await listening(ports.imap, server);
      await listening(ports.submission, server);
    });
    after(async () => {
      await stop(server);
      await t.end();
      rmSync(folder, { recursive: true, force: true });
    });

    function client(
      script: string,
      how: string,
      address: string,
      password: string,
      env: Readonly<Record<string, string>> = {},
    ): ReturnType<typeof run> {
      const args = [
        "-c",
        script,
        how,
        address,
        String(t.port),
        "alice",
        password,
        join(folder, "wall.pem"),
      ];
      return run("python3", args, env);
    }

    const WAYS = [
      ["TLS first on both sides, LOGIN", "first", "first", {}],
      ["TLS first on both sides, AUTHENTICATE PLAIN", "first", "first", { WAY: "plain" }],
      ["STARTTLS on both sides", "starttls", "later", {}],
      ["no TLS on the bot's side, STARTTLS to the server", "plain", "later", { WAY: "plain" }],
    ] as const;
    for (const [what, how, tls, env] of WAYS) {
      test(`IMAP: ${what}`, async () => {
        const port = tls === "first" ? ports.imaps : ports.imap;
        const dial = { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca };
        const { grant, address } = await botWith(t, "imap", "mail.example.test", dial, tls);
        const end = await client(IMAP, how, address, grant.phantom, env);
        assert.match(end.out, /^\d+ 200018\n$/, end.err);
        const wrong = await client(IMAP, how, address, t.secrets.get("imap") ?? "", env);
        assert.match(wrong.out, /^refused: .*not this bot's password/);
      });
    }

    const SENT = [
      ["TLS first on both sides", "first", "first"],
      ["STARTTLS on both sides", "starttls", "later"],
      ["no TLS on the bot's side, STARTTLS to the server", "plain", "later"],
    ] as const;
    for (const [what, how, tls] of SENT) {
      test(`SMTP: ${what}`, async () => {
        const port = tls === "first" ? ports.submissions : ports.submission;
        const dial = { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca };
        const { grant, address } = await botWith(t, "smtp", "mail.example.test", dial, tls);
        const before = sent.length;
        const end = await client(SMTP, how, address, grant.phantom);
        assert.equal(end.out, "sent\n", end.err);
        assert.equal(sent.length, before + 1);
        assert.ok(sent.at(-1)?.includes("Subject: tide"));
        const wrong = await client(SMTP, how, address, "guess-guess-guess");
        assert.match(wrong.out, /^refused: .*not this bot's password/);
      });
    }

    test("mail is refused before a login, whatever is pipelined", async () => {
      const dial = { host: "127.0.0.1", port: ports.submission, ca: t.upstreamAuthority.ca };
      const { address } = await botWith(t, "smtp", "mail.example.test", dial, "later");
      const before = sent.length;
      const said = await new Promise<string>((resolve) => {
        let text = "";
        const socket = net.connect(t.port, address);
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
        socket.once("close", () => resolve(text));
        socket.write(
          "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n.\r\nQUIT\r\n",
        );
      });
      assert.match(said, /530 log in first/);
      assert.match(said, /221 bye/);
      assert.equal(sent.length, before);
    });

    test("what is pipelined behind STARTTLS is not taken for what came encrypted", async () => {
      const dial = { host: "127.0.0.1", port: ports.imap, ca: t.upstreamAuthority.ca };
      const { grant, address } = await botWith(t, "imap", "mail.example.test", dial, "later");
      const said = await new Promise<string>((resolve) => {
        let text = "";
        const socket = net.connect(t.port, address);
        socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
        socket.on("error", () => undefined);
        socket.once("close", () => resolve(text));
        socket.write(`a STARTTLS\r\nb LOGIN alice ${grant.phantom}\r\n`);
        socket.setTimeout(3_000, () => socket.destroy());
      });
      assert.doesNotMatch(said, /b OK/);
    });

    for (const [service, line] of [
      ["imap", `a LOGIN "alice" ${"x".repeat(20_000)}\r\n`],
      ["imap", "a LOGIN {99999}\r\n"],
      ["imap", "a AUTHENTICATE PLAIN !!!!\r\n".repeat(30)],
      ["smtp", "AUTH PLAIN AAAA\r\n".repeat(30)],
      ["smtp", `${"E".repeat(100_000)}\r\n`],
      ["imap", Buffer.from([0, 1, 2, 255, 10]).toString("latin1").repeat(50)],
    ] as const) {
      test(`${service}: ${JSON.stringify(line.slice(0, 30))} ends the connection and nothing else`, async () => {
        const dial = { host: "127.0.0.1", port: ports.imap, ca: t.upstreamAuthority.ca };
        const { grant, address } = await botWith(t, service, "mail.example.test", dial, "later");
        await new Promise<void>((resolve) => {
          const socket = net.connect(t.port, address);
          socket.on("data", () => undefined);
          socket.on("error", () => undefined);
          socket.once("close", () => resolve());
          socket.write(line, "latin1");
          socket.end();
        });
        assert.ok(grant.phantom.length > 0);
        assert.deepEqual(await t.configure(), { type: "configured" });
      });
    }

    test("the real password was nowhere in what the broker wrote", () => {
      assert.ok(!t.everything().includes(t.secrets.get("imap") ?? "none"));
    });
  },
);

/** As little of an SMTP server as Dovecot needs to hand mail on to. */
function takeMail(socket: net.Socket, sent: string[]): void {
  let rest = "";
  let data: string[] | undefined;
  socket.write("220 relay\r\n");
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    rest += chunk.toString("latin1");
    for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (data !== undefined && line === ".") {
        sent.push(data.join("\n"));
        data = undefined;
        socket.write("250 taken\r\n");
      } else if (data !== undefined) data.push(line);
      else if (/^DATA/i.test(line)) {
        data = [];
        socket.write("354 go on\r\n");
      } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
      else socket.write("250 ok\r\n");
    }
  });
}
