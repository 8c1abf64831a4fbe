import assert from "node:assert/strict";
import { execFile, fork, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { promisify } from "node:util";
import type { BrokerConfig } from "../src/broker/index.ts";
import { makeAuthority, type TestAuthority } from "../src/broker/testing/certificates.ts";
import { modelGrant } from "../src/broker/testing/grants.ts";
import { compileNeedles } from "../src/demo/compileNeedles.ts";
import { Search } from "../src/demo/Search.ts";
import { searchMemory } from "../src/demo/searchMemory.ts";
import { setCurrentGeneration, writeGeneration, type Generation } from "../src/host/Generation.ts";
import { statePaths } from "../src/paths/index.ts";
import type { SecretSource } from "../src/plan/index.ts";
import { encryptSops } from "../src/secrets/export/encryptSops.ts";
import { createVault, openVault, SecretValue } from "../src/secrets/index.ts";
import { Desktop, DESKTOP_PROGRAMS } from "../src/secrets/testing/Desktop.ts";
import { needs } from "../src/secrets/testing/storeSetup.ts";
import { assertFailed } from "./support/failures.ts";
import { runSeawall, type Ran } from "./support/runSeawall.ts";
import type { FromStoreSupervisor, ToStoreSupervisor } from "./support/storeSupervisor.ts";

/**
 * The real broker in its real wall, the real processes that read stores, a secret in every kind of
 * store, and an upstream that answers to the real value only.
 */

const run = promisify(execFile);
const programs = ["age", "age-keygen", "ssh-keygen", "systemd-creds", "secret-tool"];
const skip = needs(...programs, ...DESKTOP_PROGRAMS).skip;
/** A host key or a TPM; root can make the former. */
const sealing = spawnSync("systemd-creds", ["encrypt", "--name=x", "-", "-"], { input: "x" });
const canSeal = skip === false && sealing.status === 0;

/** Only so that a test which will never succeed ends; nothing is measured by it. */
const deadline = (): number => performance.now() + 60_000;

const canary = (): string => `canary-${randomBytes(18).toString("base64url")}`;

describe("secrets of every store reach their host, and nobody else", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-test-stores-"));
  const at = (name: string): string => join(folder, name);
  const state = at("state");
  const values = new Map<string, string>();
  const sources = new Map<string, SecretSource>();
  /** By secret, all values it ever had. */
  const all: { name: string; value: string }[] = [];
  const env = { SEAWALL_STORE: at("store"), SEAWALL_STATE: state };
  let desktop: Desktop;
  let authority: TestAuthority;
  let upstream: tls.Server;
  let supervisor: ChildProcess;
  let broker = 0;
  let port = 0;
  const seen: string[] = [];
  const hanging: { socket: Socket; finish: () => void }[] = [];
  let hangs = Promise.withResolvers<void>();

  const valueFor = (name: string): string => {
    const value = canary();
    values.set(name, value);
    all.push({ name, value });
    return value;
  };
  const vaultAt = {
    file: join(state, "vault/vault.age"),
    identity: join(state, "vault/vault.key"),
  };
  const inVault = async (name: string, value: string): Promise<void> => {
    const vault = existsSync(vaultAt.file) ? await openVault(vaultAt) : await createVault(vaultAt);
    await vault.set(name, new SecretValue(value));
  };
  const keyring = (args: readonly string[], value = ""): void => {
    const words = ["service", "seawall", "username", "keyring"];
    const tool = spawnSync("secret-tool", [...args, ...words], {
      env: desktop.environment,
      input: value,
    });
    assert.equal(tool.status, 0, String(tool.stderr));
  };
  const write = (name: string, text: string | Uint8Array, mode = 0o400): string => {
    rmSync(at(name), { force: true });
    writeFileSync(at(name), text, { mode });
    return at(name);
  };
  const age = async (name: string, args: readonly string[], value: string): Promise<string> => {
    await run("age", [...args, "-o", at(`${name}.new`), write("plain", value)]);
    rmSync(at("plain"));
    renameSync(at(`${name}.new`), at(name));
    return at(name);
  };
  const agenix = (generation: string, value: string): void => {
    mkdirSync(at(`agenix.d/${generation}`), { recursive: true, mode: 0o751 });
    write(`agenix.d/${generation}/key`, value);
    symlinkSync(at(`agenix.d/${generation}`), at("agenix.new"));
    renameSync(at("agenix.new"), at("agenix"));
  };
  const sops = async (value: string): Promise<void> => {
    const recipients = [readFileSync(at("recipients"), "utf8").trim()];
    write(
      "sops.yaml",
      await encryptSops(new Map([["value", new SecretValue(value)]]), recipients, "yaml"),
    );
  };
  const sealed = (value: string): void => {
    const made = spawnSync("systemd-creds", ["encrypt", "--name=sealed", "-", "-"], {
      input: value,
    });
    assert.equal(made.status, 0);
    write("sealed.cred", made.stdout);
  };
  /** Gives a secret another value in its store, the way that store's own programs do. */
  const change: Record<string, (value: string) => unknown> = {
    vault: (value) => inVault("vault", value),
    file: (value) => agenix(String(Date.now()), value),
    age: (value) => age("age.age", ["-R", at("recipients")], value),
    ssh: (value) => age("ssh.age", ["-a", "-R", at("ssh.pub")], value),
    sops,
    credential: (value) => write("credentials/credential", value),
    ...(canSeal ? { sealed } : {}),
    keyring: (value) => keyring(["store", "--label=keyring"], value),
    exec: (value) => write("exec-value", value),
  };

  before(async () => {
    chmodSync(folder, 0o700);
    mkdirSync(state, { mode: 0o700 });
    mkdirSync(at("credentials"), { mode: 0o700 });
    desktop = await Desktop.start();
    await desktop.startKeyring("unlocked");
    await run("age-keygen", ["-o", at("identity")]);
    writeFileSync(at("recipients"), (await run("age-keygen", ["-y", at("identity")])).stdout);
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at("ssh")]);
    write("show", '#!/bin/sh\necho "looking" >&2\nexec cat "$1"\n', 0o500);
    for (const [name, set] of Object.entries(change)) await set(valueFor(name));
    const identity = at("identity");
    const key = ["value"];
    sources.set("vault", { store: "vault", key: "vault" });
    sources.set("file", { store: "file", path: at("agenix/key") });
    sources.set("age", { store: "age", path: at("age.age"), identity });
    sources.set("ssh", { store: "age", path: at("ssh.age"), identity: at("ssh") });
    sources.set("sops", { store: "sops", path: at("sops.yaml"), key, identity });
    sources.set("credential", { store: "credential", name: "credential" });
    if (canSeal)
      sources.set("sealed", { store: "credential", name: "sealed", path: at("sealed.cred") });
    sources.set("keyring", { store: "keyring", service: "seawall", account: "keyring" });
    sources.set("exec", { store: "exec", command: [at("show"), at("exec-value")] });
    sources.set("env", { store: "env", variable: "STORE_TEST_KEY" });
    valueFor("env");
    authority = await makeAuthority("stores");
    const { chain, key: leafKey } = await authority.issue(["*.stores.test"]);
    upstream = startUpstream(chain, leafKey);
    await once(upstream.listen(0, "127.0.0.1"), "listening");
    supervisor = fork(resolve(import.meta.dirname, "support/storeSupervisor.ts"), {
      env: {
        PATH: process.env["PATH"],
        ...env,
        DBUS_SESSION_BUS_ADDRESS: desktop.address,
        CREDENTIALS_DIRECTORY: at("credentials"),
        STORE_TEST_KEY: values.get("env"),
      },
      execArgv: [],
    });
    const secrets = [...sources].map(([name, source]) => ({ name, source }));
    const plan = { version: 1, secrets, bots: [] } as const;
    const started = await tell({ type: "start", plan, declaration: at("seawall.json5") });
    port = started.type === "started" ? started.port : 0;
    const answer = await tell({ type: "configure", config: config(chain, leafKey, secrets) });
    assert.equal(answer.type, "configured", JSON.stringify(answer));
    broker = answer.type === "configured" ? answer.broker : 0;
  });

  after(async () => {
    for (const { socket } of hanging) socket.destroy();
    if (supervisor?.connected) {
      await tell({ type: "stop" });
      if (supervisor.exitCode === null) await once(supervisor, "exit");
    }
    upstream?.close();
    await desktop?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function tell(message: ToStoreSupervisor): Promise<FromStoreSupervisor> {
    const answer = once(supervisor, "message");
    supervisor.send(message);
    const [said] = (await answer) as [FromStoreSupervisor];
    return said;
  }

  function startUpstream(cert: string, key: string): tls.Server {
    const inner = http.createServer((request, response) => {
      const name = String(request.headers.host).split(".")[0] ?? "";
      const given = request.headers["x-api-key"];
      seen.push(name);
      const answer = (): void => {
        response.writeHead(given === values.get(name) ? 200 : 401).end();
      };
      if (request.url !== "/v1/models/hang") answer();
      else {
        const right = given === values.get(name);
        hangs.resolve();
        hanging.push({
          socket: request.socket,
          finish: () => void response.writeHead(right ? 200 : 401).end(),
        });
      }
    });
    return tls.createServer({ cert, key }, (socket) => inner.emit("connection", socket));
  }

  const addressOf = (name: string): string => `127.78.9.${[...sources.keys()].indexOf(name) + 2}`;
  const phantoms = new Map<string, string>();

  function config(chain: string, key: string, secrets: BrokerConfig["secrets"]): BrokerConfig {
    const dial = {
      host: "127.0.0.1",
      port: (upstream.address() as AddressInfo).port,
      ca: authority.ca,
    };
    const grants = [...sources.keys()].map((name) => {
      const address = addressOf(name);
      const hosts = [{ name: `${name}.stores.test`, port, scheme: "https" as const, v4: address }];
      const grant = modelGrant(
        { port, address, dial },
        { name, service: name, secret: name, hosts },
      );
      phantoms.set(name, grant.phantom);
      return grant;
    });
    return {
      secrets,
      vault: vaultAt,
      credentials: at("credentials"),
      audit: { file: join(state, "audit/audit.jsonl") },
      bots: [{ name: "basecamp", grants, certificate: { chain, key } }],
    };
  }

  /** The bot's call with its phantom; the status it is answered. */
  async function call(name: string, path = "/v1/models/x"): Promise<number> {
    const host = `${name}.stores.test`;
    const socket = tls.connect({
      host: addressOf(name),
      port,
      servername: host,
      ca: authority.ca,
    });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    const head = `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n`;
    socket.write(`${head}x-api-key: ${phantoms.get(name) ?? ""}\r\n\r\n`);
    let reply = "";
    for await (const chunk of socket) reply += String(chunk);
    return Number(reply.split(" ")[1]);
  }

  /** Calls until it is answered so: a change is noticed at most two seconds later. */
  async function becomes(name: string, status: number): Promise<void> {
    for (const end = deadline(); performance.now() < end;)
      if ((await call(name)) === status) return;
    assert.fail(`${name} did not come to ${status}`);
  }

  async function warnings(): Promise<string[]> {
    const answer = await tell({ type: "health" });
    return answer.type === "health" ? answer.health.map(({ warning }) => warning) : [];
  }

  async function warned(pattern: RegExp | undefined): Promise<void> {
    for (const end = deadline(); performance.now() < end;) {
      const now = await warnings();
      if (pattern === undefined ? now.length === 0 : now.some((each) => pattern.test(each))) return;
    }
    assert.fail(`no such health: ${JSON.stringify(await warnings())}`);
  }

  test("a call by each store carries the real value", async () => {
    for (const name of sources.keys()) assert.equal(await call(name), 200, name);
    assert.ok(canSeal || process.env["CI"] !== "true", "systemd-creds can't encrypt here");
  });

  test("a value that changes in its store is used without a restart", async () => {
    for (const [name, set] of Object.entries(change)) await set(valueFor(name));
    // What a program or the keyring has can't be watched; one word has everything read anew.
    await tell({ type: "refresh" });
    for (const name of Object.keys(change)) assert.equal(await call(name), 200, name);
    for (const name of Object.keys(change).filter((each) => !["keyring", "exec"].includes(each))) {
      await change[name]?.(valueFor(name));
      await becomes(name, 200);
    }
    assert.deepEqual(await warnings(), []);
  });

  test("a call that is under way ends with the old value, the next one has the new", async () => {
    const old = call("exec", "/v1/models/hang");
    await hangs.promise;
    await change["exec"]?.(valueFor("exec"));
    await tell({ type: "refresh" });
    assert.equal(await call("exec"), 200);
    hanging[0]?.finish();
    assert.equal(await old, 200);
  });

  /** The command line beside the running broker, as a person has it. */
  async function seawall(args: readonly string[], input = ""): Promise<Ran> {
    const bus = { DBUS_SESSION_BUS_ADDRESS: desktop.address };
    return runSeawall(args, { state, cwd: folder, env: { ...env, ...bus }, input });
  }

  test("seawall secret rotate: the next call has the new value, one under way ends with the old", async () => {
    hangs = Promise.withResolvers<void>();
    const old = call("vault", "/v1/models/hang");
    await hangs.promise;
    const fresh = valueFor("vault");
    // Control: until then the broker has the old one, which the upstream no longer takes.
    assert.equal(await call("vault"), 401);
    const rotated = await seawall(["secret", "rotate", "vault"], `${fresh}\n`);
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.match(rotated.stdout, /in use from the next call on/);
    assert.equal(await call("vault"), 200);
    hanging.at(-1)?.finish();
    assert.equal(await old, 200);
    const again = await seawall(["secret", "rotate", "vault"], fresh);
    assertFailed(again, 1, /has that value already/);
    const unknown = await seawall(["secret", "rotate", "nothing"], fresh);
    assertFailed(unknown, 1, /there is no secret "nothing"/);
    for (const { stdout, stderr } of [rotated, again, unknown])
      assert.ok(!`${stdout}${stderr}`.includes(fresh));
  });

  test("seawall secret refresh: what programs and the keyring have is read again", async () => {
    for (const name of ["exec", "keyring"]) {
      await change[name]?.(valueFor(name));
      assert.equal(await call(name), 401, name);
    }
    const refreshed = await seawall(["secret", "refresh"]);
    assert.equal(refreshed.code, 0, refreshed.stderr);
    assert.equal(refreshed.stdout, "all secrets were read anew\n");
    for (const name of ["exec", "keyring"]) assert.equal(await call(name), 200, name);
    write("exec-value", "");
    const broken = await seawall(["secret", "refresh", "--json"]);
    assert.equal(broken.code, 1, broken.stderr);
    assert.match(broken.stdout, /"secret:.*exec-value/);
    assert.equal(await call("exec"), 200);
    await change["exec"]?.(valueFor("exec"));
    assert.equal((await seawall(["secret", "refresh"])).code, 0);
    assert.equal(await call("exec"), 200);
  });

  test("seawall secret list: when a call last carried each, and nothing of any value", async () => {
    const paths = statePaths({ ...env }, process.getuid?.() ?? 0);
    const { number } = writeGeneration(paths, inForce([...sources.keys()]));
    setCurrentGeneration(paths, number);
    const before = new Date().toISOString();
    for (const name of ["vault", "file"]) assert.equal(await call(name), 200);
    const listed = await seawall(["secret", "list", "--json"]);
    assert.equal(listed.code, 0, listed.stderr);
    const { secrets } = JSON.parse(listed.stdout) as {
      secrets: { name: string; store: string; lastUse?: string; updated?: string }[];
    };
    assert.deepEqual(
      new Map(secrets.map(({ name, store }) => [name, store])),
      new Map([...sources].map(([name, { store }]) => [name, store])),
    );
    for (const { name, lastUse = "" } of secrets) {
      const now = ["vault", "file"].includes(name);
      assert.ok(now ? lastUse >= before : lastUse !== "" && lastUse < before, `${name} ${lastUse}`);
    }
    for (const secret of secrets)
      for (const key of Object.keys(secret))
        assert.ok(["name", "store", "updated", "lastUse"].includes(key), key);
    const shown = await seawall(["secret", "list"]);
    assert.match(shown.stdout, /^vault +vault +\d{4}-\d\d-\d\d [\d:]+ +\d{4}-\d\d-\d\d [\d:]+$/m);
    for (const { value } of all)
      assert.ok(!`${listed.stdout}${shown.stdout}`.includes(value.slice(0, 12)));
  });

  /** What the deployment above would have been applied as, as far as a list reads it. */
  function inForce(names: readonly string[]): Omit<Generation, "number"> {
    const grants = names.map((name) => ({ kind: "inject", name, secret: name }));
    const secrets = [...sources].map(([name, source]) => ({ name, source }));
    const plan = { version: 1, secrets, bots: [{ name: "basecamp", grants }] };
    const programs = { node: "", launcher: "", shell: "" };
    const content = { created: "", declaration: at("seawall.json5"), plan, programs, bots: {} };
    return content as unknown as Omit<Generation, "number">;
  }

  /** An altered time of change: the MAC is bound to it. */
  const backdate = (): void => {
    const text = readFileSync(at("sops.yaml"), "utf8");
    const year = /lastmodified: "?(\d{4})/.exec(text)?.[1] ?? "";
    write("sops.yaml", text.replace(`${year}-`, `${Number(year) - 1}-`));
  };
  const broken: Record<string, () => unknown> = {
    file: () => chmodSync(at("agenix/key"), 0o444),
    age: () => write("age.age", readFileSync(at("age.age")).subarray(0, 150)),
    ssh: () => age("ssh.age", ["-R", at("recipients")], canary()),
    sops: backdate,
    credential: () => write("credentials/credential", ""),
    vault: () => chmodSync(join(state, "vault/vault.age"), 0o644),
  };
  const said: Record<string, RegExp> = {
    file: /others may read.*stays in use/,
    age: /is damaged.*stays in use/,
    ssh: /was not encrypted for.*stays in use/,
    sops: /MAC is wrong.*stays in use/,
    credential: /is empty.*stays in use/,
    vault: /others may read.*stay in use/,
  };
  for (const [name, spoil] of Object.entries(broken)) {
    test(`a broken new value keeps the old one in use and is told: ${name}`, async () => {
      await spoil();
      await warned(said[name]);
      assert.equal(await call(name), 200);
      if (name === "vault") chmodSync(join(state, "vault/vault.age"), 0o600);
      await change[name]?.(valueFor(name));
      await warned(undefined);
      await becomes(name, 200);
    });
  }

  test("a secret that is removed is refused, and nothing leaves", async () => {
    const remove: Record<string, () => unknown> = {
      vault: async () => (await openVault(vaultAt)).rm("vault"),
      file: () => rmSync(at("agenix/key")),
      age: () => rmSync(at("age.age")),
      sops: () => rmSync(at("sops.yaml")),
      credential: () => rmSync(at("credentials/credential")),
      keyring: () => keyring(["clear"]),
    };
    for (const go of Object.values(remove)) await go();
    await tell({ type: "refresh" });
    seen.length = 0;
    for (const name of Object.keys(remove)) assert.ok((await call(name)) >= 500, name);
    assert.deepEqual(seen, []);
    for (const name of Object.keys(remove)) {
      await change[name]?.(valueFor(name));
      if (name === "keyring") await tell({ type: "refresh" });
      await becomes(name, 200);
    }
  });

  test("a command that hangs or fails leaves the old value in use; one that is gone likewise", async () => {
    write("show", `#!/bin/sh\ncat ${at("exec-value")} >&2\nexit 1\n`, 0o500);
    await tell({ type: "refresh" });
    await warned(/ended with status 1; the value read before stays in use/);
    assert.equal(await call("exec"), 200);
    write("show", '#!/bin/sh\nexec cat "$1"\n', 0o500);
    await tell({ type: "refresh" });
    await warned(undefined);
  });

  test("the broker was never started again", async () => {
    assert.ok(readFileSync(`/proc/${broker}/cmdline`, "utf8").includes("broker/main.ts"));
  });

  test("no value is anywhere but in its store, the broker's memory and what its host got", async () => {
    const hidden = all.filter(({ name }) => name !== "env");
    const search = new Search(compileNeedles(hidden));
    await searchMemory(search, supervisor.pid ?? 0, "the supervisor");
    assert.deepEqual(search.found, []);
    assert.deepEqual(search.unread, []);
    // That it would have found one: the broker, which has them.
    const control = new Search(compileNeedles(hidden));
    await searchMemory(control, broker, "the broker");
    assert.ok(control.found.length > 0);
    for (const pid of [supervisor.pid ?? 0, broker]) {
      const shown =
        readFileSync(`/proc/${pid}/cmdline`, "latin1") +
        readFileSync(`/proc/${pid}/environ`, "latin1");
      for (const { value } of hidden) assert.ok(!shown.includes(value));
    }
    const files = globSync("**/*", { cwd: state }).filter((name) =>
      lstatSync(join(state, name)).isFile(),
    );
    assert.ok(files.some((name) => name.includes("audit")));
    for (const name of files) {
      const bytes = readFileSync(join(state, name), "latin1");
      for (const { name: secret, value } of all)
        assert.ok(!bytes.includes(value), `${secret} in ${name}`);
    }
  });

  test("nothing that read a store is left", () => {
    const left = spawnSync("sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'"]);
    assert.ok(
      !String(left.stdout).includes(
        `${resolve(import.meta.dirname, "..")}/src/secrets/helper/main.ts`,
      ),
    );
  });
});
