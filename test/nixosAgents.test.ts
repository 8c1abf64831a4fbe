import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ensureAuthority, issueLeaf } from "../src/authority/index.ts";
import { catalogue } from "../src/catalogue/index.ts";
import { checkShape } from "../src/declaration/index.ts";
import { makePlan } from "../src/plan/index.ts";
import { readTasks, wordsOf } from "./support/justTasks.ts";
import { startGiteaStandIn } from "./support/GiteaStandIn.ts";
import { lacksNixosRoot, NixosRoot, SEAWALL } from "./support/NixosRoot.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

const skip = lacksNixosRoot();
const JUSTFILE = join(import.meta.dirname, "../nix/template/justfile");
const [BOT, BROKER] = [901, 902];
const SYSTEM = "/nix/store/abc-system";
const STATE = "/var/lib/seawall/system";

const PASSWD = `root:x:0:0:root:/root:/bin/sh
seawall-one:x:${BOT}:${BOT}::/:/bin/false
seawall_one:x:${BROKER}:${BROKER}::/:/bin/false
nobody:x:65534:65534::/:/bin/false
`;

/** What NixOS puts in force for this declaration, as far as agents need it. */
function putInForce(root: NixosRoot, declaration: object): void {
  const checked = checkShape(declaration);
  assert.deepEqual(checked.faults, []);
  assert.ok(checked.declaration !== undefined);
  const { plan } = makePlan(checked.declaration, { catalogue, versions: ["2026.9.6"] });
  const names = ["node", "launcher", "shell", "ip", "socketProxy", "caddy", "tailscale"];
  const machine = {
    version: 1,
    nixos: true,
    systemd: 258,
    kernel: "6.18.37",
    architecture: "x86_64",
    paths: {
      generation: "/etc/seawall/current",
      private: `${STATE}/private`,
      state: STATE,
      runtime: "/run/seawall",
      vault: {
        file: "/var/lib/seawall/vault/vault.age",
        identity: "/var/lib/seawall/vault/vault.key",
      },
    },
    programs: Object.fromEntries(names.map((name) => [name, `/nix/store/abc-${name}`])),
    project: SEAWALL,
    cache: `${SEAWALL}/broker-cache`,
    openclaw: {},
    commands: {},
    system: ["/nix/store", "/etc"],
  };
  root.write(`${SYSTEM}/machine.json`, JSON.stringify(machine));
  root.write(
    `${SYSTEM}/generation.json`,
    JSON.stringify({ number: 0, declaration: "/etc/seawall/seawall.json5", plan, bots: {} }),
  );
  root.write("/etc/seawall/seawall.json5", JSON.stringify(declaration));
  root.switchTo(SYSTEM);
}

test(
  "agents of a NixOS are made, synchronized and deleted with the programs of its store, without a rebuild",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const authority = join(folder, "authority");
    mkdirSync(authority);
    const ca = await ensureAuthority(authority);
    const token = randomBytes(20).toString("hex");
    const gitea = await startGiteaStandIn(token, await issueLeaf(ca, ["git.example.com"]));
    t.after(() => gitea[Symbol.asyncDispose]());
    const place = join(folder, "root");
    const root = new NixosRoot(place);
    root.write("/etc/passwd", PASSWD);
    root.write("/etc/machine-id", `${randomBytes(16).toString("hex")}\n`);
    mkdirSync(join(place, "var/lib/systemd"));
    root.write("/etc/ssl/certs/ca-certificates.crt", ca.caPem);
    // As systemd would hand it to the bot's broker alone.
    const sealed = ["systemd-creds", "encrypt", "--with-key=host", "--name=gitea", "-"];
    mkdirSync(join(place, "etc/credstore.encrypted"), { recursive: true });
    const encrypted = await root.start([...sealed, "/etc/credstore.encrypted/gitea"], token);
    assert.equal(encrypted.code, 0, encrypted.stderr);
    for (const path of ["/nix/store/abc-ca.pem", "/root/flake/ca.pem"]) root.write(path, ca.caPem);
    root.write("/nix/store/abc-template/AGENTS.md", "# An agent of the store's template\n");
    root.write("/nix/store/abc-skills/notes/SKILL.md", "# Notes\n");
    const bot = {
      openclaw: "2026.9.6",
      model: "ollama/x",
      grants: {
        ollama: {},
        gitea: {
          secret: "gitea",
          url: "https://git.example.com",
          dial: { host: "127.0.0.1", port: gitea.port, ca: "/nix/store/abc-ca.pem" },
        },
      },
      agents: {
        repositories: { gitea: { owner: "nixclaw" } },
        template: "/nix/store/abc-template",
        skills: "/nix/store/abc-skills",
      },
    };
    const secrets = { gitea: { systemdCredential: "gitea" } };
    putInForce(root, { seawall: 1, secrets, bots: { one: bot } });
    // Of the flake that the machine was made from: not what is in force.
    root.write("/root/flake/seawall.json5", JSON.stringify({ seawall: 1, bots: { two: bot } }));
    // By the template's tasks, as a person does.
    const tasks = readTasks(readFileSync(JUSTFILE, "utf8"));
    const just = (task: string, values: Readonly<Record<string, string>> = {}) => {
      const [sudo, seawall, ...args] = wordsOf(tasks.get(task)?.lines[0] ?? "", values);
      assert.deepEqual([sudo, seawall], ["sudo", "seawall"]);
      return root.run("src/cli/start.cjs", args, "/root/flake");
    };

    // As systemd-tmpfiles and the service before the brokers make it.
    const home = join(place, STATE, "bots/one");
    mkdirSync(home, { recursive: true, mode: 0o700 });
    chownSync(home, BOT, BOT);
    for (const path of ["..", "", "bots"]) chmodSync(join(place, STATE, path), 0o711);
    const prepared = await root.run("src/host/described/main.ts", ["/etc/seawall/current"]);
    assert.equal(prepared.code, 0, prepared.stderr);
    const live = join(place, STATE, "agents/one/live/agents.json");
    assert.equal(readFileSync(live, "utf8"), "{}\n");

    const made = await just("new-agent", { NAME: "ops", FLAGS: "" });
    assert.equal(made.code, 0, made.stderr);
    assert.equal(gitea.git("ops", ["log", "--format=%s", "main"]), "ops: Begin the workspace");
    assert.match(gitea.git("ops", ["show", "main:AGENTS.md"]), /of the store's template/);
    assert.match(readFileSync(live, "utf8"), /\/agents\/ops"/);
    assert.equal(statSync(join(home, "agents/ops/AGENTS.md")).uid, BOT);
    assert.match(
      readFileSync(join(place, STATE, "agents/one/live/skills/notes/SKILL.md"), "utf8"),
      /Notes/,
    );
    const synced = await just("sync");
    assert.equal(synced.code, 0, synced.stderr);
    const deleted = await just("delete-agent", { NAME: "ops", FLAGS: "" });
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.equal(gitea.repositories.get("nixclaw/ops")?.archived, true);
    assert.doesNotMatch(readFileSync(live, "utf8"), /ops/);
    for (const { accepted, path } of gitea.calls)
      if (path.startsWith("/api/")) assert.ok(accepted, path);
  },
);
