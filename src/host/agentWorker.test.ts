import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, globSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startGiteaStandIn } from "../../test/support/GiteaStandIn.ts";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { testStore } from "../../test/support/testStore.ts";
import { ensureAuthority, issueLeaf } from "../authority/index.ts";
import type { DeclaredGrant } from "../declaration/index.ts";
import { statePaths } from "../paths/index.ts";
import { lacking, probeSubject } from "../wall/testing/harness.ts";
import { agentWorkers } from "./agentWorker.ts";
import { loadDeclaration } from "./loadDeclaration.ts";
import { prepareTool } from "./runInWall.ts";

const PROGRAM = {
  name: "agents",
  sources: ["agents/inside", "shapes"],
  packages: ["@secretlint/secretlint-rule-preset-recommend"],
};
const capabilities = await probeSubject();

interface Said {
  readonly ok: boolean;
  readonly message?: string;
}

test(
  "agentWorkers() lets each network call what is its own, though one broker answers both",
  { skip: lacking(capabilities) },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o711);
    const authority = join(folder, "authority");
    mkdirSync(authority);
    const ca = await ensureAuthority(authority);
    writeFileSync(join(folder, "ca.pem"), ca.caPem);
    const token = randomBytes(20).toString("hex");
    writeFileSync(join(folder, "token"), token, { mode: 0o600 });
    const gitea = await startGiteaStandIn(token, await issueLeaf(ca, ["git.example.com"]));
    t.after(() => gitea[Symbol.asyncDispose]());
    const file = join(folder, "seawall.json5");
    const dial = { host: "127.0.0.1", port: gitea.port, ca: "ca.pem" };
    const grant = { secret: "gitea", url: "https://git.example.com", dial };
    const bot = {
      openclaw: "2026.9.6",
      model: "x/y",
      settings: { models: { providers: { x: {} } } },
      grants: { gitea: grant },
    };
    writeFileSync(
      file,
      JSON.stringify({
        seawall: 1,
        secrets: { gitea: { file: join(folder, "token") } },
        bots: { a: bot },
      }),
    );
    const loaded = loadDeclaration(file, {});
    const declared = loaded.declaration.bots["a"]?.grants["gitea"];
    assert.ok(declared !== undefined);
    const state = join(folder, "state");
    mkdirSync(state, { mode: 0o711 });
    const paths = statePaths({ SEAWALL_STATE: state, SEAWALL_STORE: testStore() }, 0);
    const tool = await prepareTool(paths, PROGRAM);
    const api = "/api/v1";
    const repositories = [`GET ${api}/user`, `POST ${api}/orgs/nixclaw/repos`];
    const declare = (allow: NonNullable<DeclaredGrant["allow"]>) => ({
      gitea: { ...declared, allow },
    });
    await using workers = agentWorkers({
      loaded,
      bot: "a",
      paths,
      tool,
      main: "src/agents/inside/main.ts",
      idle: { do: "look", home: "/nonexistent", agents: [] },
      askPassphrase: () => Promise.reject(new Error("there is no passphrase")),
      grants: {
        api: declare([...repositories, `GET ${api}/repos/nixclaw/*`]),
        git: declare([{ git: "nixclaw/ops", access: "write" }]),
      },
    });
    const job = {
      do: "make-repository",
      place: {
        kind: "gitea",
        owner: "nixclaw",
        api: `https://git.example.com${api}`,
        web: "https://git.example.com",
        variable: "GITEA_TOKEN",
      },
      name: "ops",
      mark: "000000000000.000000000000",
      existing: false,
    };
    const run = async (network: "api" | "git"): Promise<Said> =>
      JSON.parse(await workers[network].run({ job, mounts: [], uid: undefined })) as Said;
    const refused = await run("git");
    assert.match(refused.message ?? "", /refuses to .* \(403\)/, JSON.stringify(refused));
    assert.deepEqual(gitea.calls, []);
    // Control: the same job, by the network that may.
    const made = await run("api");
    assert.equal(made.ok, true, JSON.stringify(made));
    assert.ok(gitea.repositories.has("nixclaw/ops"));
    // What Node compiled is there for bots' users to read, and nobody else's to write.
    const compiled = globSync(`${tool.folder}-compiled-*/**/*`).map((path) => statSync(path));
    assert.ok(compiled.some((each) => each.isFile()));
    for (const each of compiled)
      assert.equal(each.mode & 0o777, each.isDirectory() ? 0o755 : 0o444);
  },
);
