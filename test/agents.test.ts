import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import type { NewOptions } from "../src/agents/AgentFiles.ts";
import type { AgentError } from "../src/agents/AgentError.ts";
import { deleteAgent } from "../src/agents/deleteAgent.ts";
import { listAgents } from "../src/agents/listAgents.ts";
import { newAgent } from "../src/agents/newAgent.ts";
import { syncAgents } from "../src/agents/syncAgents.ts";
import { agentsPlace, type AgentsPlace } from "./support/agentsPlace.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

const OPTIONS: NewOptions = { repo: "gitea", channel: "mattermost", existing: false };

class Killed extends Error {}

/** The stand-in's certificate is nobody's; in a deployment the broker checks the real one. */
describe("a bot's agents", () => {
  const was = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  before(() => {
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  });
  after(() => {
    if (was === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = was;
  });

  async function place(t: TestContext): Promise<AgentsPlace> {
    const made = await agentsPlace(temporaryFolder(t));
    t.after(() => made[Symbol.asyncDispose]());
    return made;
  }

  function live({ host }: AgentsPlace): string {
    return host.files.readLive() ?? "";
  }

  /** A clone of the owner's own, changed and pushed. */
  function pushElsewhere(
    t: TestContext,
    at: AgentsPlace,
    name: string,
    file: string,
    text: string,
    days = 0,
  ): void {
    const date = new Date(Date.now() + days * 86_400_000).toISOString();
    const clone = join(temporaryFolder(t), "clone");
    const git = (...args: string[]): void => {
      const ran = spawnSync("git", ["-c", "user.name=o", "-c", "user.email=o@o.invalid", ...args], {
        cwd: existsSync(clone) ? clone : "/",
        env: { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
        encoding: "utf8",
      });
      assert.equal(ran.status, 0, ran.stderr);
    };
    git("clone", "--quiet", at.gitea.bare(name), clone);
    writeFileSync(join(clone, file), text);
    git("add", "-A");
    git("commit", "--quiet", "-m", "elsewhere");
    git("push", "--quiet");
  }

  test("a day: made, changed, synchronized, listed, deleted and made again with its history", async (t) => {
    const at = await place(t);
    const { host, gitea, mattermost } = at;
    const made = await newAgent(host, "ops", OPTIONS);
    assert.equal(gitea.repositories.get("nixclaw/ops")?.private, true);
    assert.equal(gitea.git("ops", ["log", "--format=%s", "main"]), "ops: Begin the workspace");
    assert.deepEqual(gitea.git("ops", ["ls-tree", "--name-only", "main"]).split("\n"), [
      "AGENTS.md",
      "USER.md",
    ]);
    const channel = mattermost.channels.get("ops");
    assert.deepEqual(
      [...(channel?.members ?? [])].toSorted(),
      [mattermost.botId, mattermost.userId].toSorted(),
    );
    assert.equal(made.channel?.id, channel?.id);
    assert.match(live(at), /"requireMention": false/);
    writeFileSync(join(at.workspace("ops"), "MEMORY.md"), "remembered\n");
    const [synced] = await syncAgents(host, "ops");
    assert.deepEqual(synced?.report.commits, ["ops: add MEMORY.md"]);
    assert.equal(gitea.git("ops", ["show", "main:MEMORY.md"]), "remembered");
    const { agents } = await listAgents(host);
    assert.ok(agents[0]?.active !== undefined && agents[0].sync !== undefined);
    await deleteAgent(host, "ops", false);
    assert.equal(gitea.repositories.get("nixclaw/ops")?.archived, true);
    assert.ok((mattermost.channels.get("ops")?.delete_at ?? 0) > 0);
    assert.equal(existsSync(at.workspace("ops")), false);
    assert.equal(live(at), "{}\n");
    await newAgent(host, "ops", OPTIONS);
    assert.equal(readFileSync(join(at.workspace("ops"), "MEMORY.md"), "utf8"), "remembered\n");
    assert.equal(mattermost.channels.get("ops")?.delete_at, 0);
    await deleteAgent(host, "ops", true);
    assert.equal(gitea.repositories.size, 0);
  });

  test("a server that fails at any step leaves nothing, and the next run succeeds", async (t) => {
    const at = await place(t);
    const { host, gitea, mattermost } = at;
    const refusals: [string, () => void][] = [
      [
        "repository",
        () => (gitea.failWith = ({ path }) => (path.includes("/orgs/") ? 500 : undefined)),
      ],
      [
        "push",
        () =>
          (gitea.failWith = ({ path }) => (path.endsWith("git-receive-pack") ? 500 : undefined)),
      ],
      [
        "channel",
        () =>
          (mattermost.failWith = ({ method, path }) =>
            method === "POST" && path.endsWith("/channels") ? "drop" : undefined),
      ],
      [
        "members",
        () => (mattermost.failWith = ({ path }) => (path.endsWith("/members") ? 403 : undefined)),
      ],
    ];
    for (const [where, fail] of refusals) {
      fail();
      await assert.rejects(
        newAgent(host, "ops", OPTIONS),
        (error: AgentError) => /^(unreachable|refused)$/.test(error.code),
        where,
      );
      assert.equal(gitea.repositories.size, 0, where);
      assert.ok(
        [...mattermost.channels.values()].every(({ delete_at }) => delete_at > 0),
        where,
      );
      assert.equal(existsSync(at.workspace("ops")), false, where);
      assert.deepEqual([host.files.agents(), host.files.journals()], [[], []], where);
      gitea.failWith = () => undefined;
      mattermost.failWith = () => undefined;
    }
    await newAgent(host, "ops", OPTIONS);
  });

  test("a run that is killed before any of its jobs is finished by the next one", async (t) => {
    const at = await place(t);
    const { host } = at;
    const kinds = ["make-repository", "begin-workspace", "make-channel"];
    for (const [index, kind] of kinds.entries()) {
      const name = `agent-${index}`;
      at.beforeJob = (job) => {
        if (job.do === kind) throw new Killed();
        // Whoever is dead undoes nothing.
        if (job.do.startsWith("drop-")) throw new Killed();
      };
      await assert.rejects(newAgent(host, name, OPTIONS));
      const left = host.files.journal(name);
      assert.ok(left?.verb === "new");
      const { undoing: _, ...journal } = left;
      host.files.setJournal(journal);
      at.beforeJob = () => undefined;
      await newAgent(host, name, OPTIONS);
      assert.deepEqual(host.files.journals(), []);
      assert.equal(at.gitea.git(name, ["rev-list", "--count", "main"]), "1");
    }
  });

  test("an undoing that fails is gone on with by the next run", async (t) => {
    const at = await place(t);
    at.mattermost.failWith = () => 500;
    at.gitea.failWith = ({ method }) => (method === "DELETE" ? 500 : undefined);
    await assert.rejects(newAgent(at.host, "ops", OPTIONS), { code: "undo-failed" });
    at.mattermost.failWith = () => undefined;
    at.gitea.failWith = () => undefined;
    await newAgent(at.host, "ops", OPTIONS);
    assert.ok(at.said.includes("undoing what an earlier run left of ops"));
  });

  test("what is somebody else's is not touched, whatever fails", async (t) => {
    const at = await place(t);
    const { gitea, host } = at;
    await newAgent(host, "ops", OPTIONS);
    const repository = gitea.repositories.get("nixclaw/ops");
    assert.ok(repository !== undefined);
    repository.description = "mine";
    host.files.setAgents([]);
    await assert.rejects(newAgent(host, "ops", OPTIONS), { code: "exists" });
    assert.ok(gitea.repositories.has("nixclaw/ops"));
  });

  test("names with path tricks, Unicode or another meaning are refused before anything is called", async (t) => {
    const at = await place(t);
    const names = [
      "../x",
      "a/b",
      "a",
      "-a",
      "a--b",
      "ops ",
      "öps",
      "main",
      "..",
      "A",
      "a".repeat(33),
      "a\n",
      "оps",
    ];
    for (const name of names)
      await assert.rejects(newAgent(at.host, name, OPTIONS), { code: "bad-name" });
    assert.deepEqual([at.jobs, at.gitea.calls], [[], []]);
  });

  test("two at once: one makes the agent, the other hears that it is there", async (t) => {
    const { host } = await place(t);
    const both = await Promise.allSettled([
      newAgent(host, "ops", OPTIONS),
      newAgent(host, "ops", OPTIONS),
    ]);
    assert.deepEqual(both.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    const refused = both.find((each) => each.status === "rejected");
    assert.equal((refused?.reason as AgentError | undefined)?.code, "exists");
  });

  test("five at once are all made, told to the gateway in one file, and deleted again at once", async (t) => {
    const at = await place(t);
    const names = ["one", "two", "three", "four", "five"];
    await Promise.all(names.map((name) => newAgent(at.host, name, OPTIONS)));
    const told = JSON.parse(live(at)) as {
      readonly agents: { readonly entries: Readonly<Record<string, unknown>> };
      readonly bindings: readonly { readonly match: { readonly peer: { readonly id: string } } }[];
      readonly channels: { readonly mattermost: { readonly groups: object } };
    };
    assert.deepEqual(Object.keys(told.agents.entries).toSorted(), names.toSorted());
    const channels = names.map((name) => at.mattermost.channels.get(name)?.id ?? "").toSorted();
    assert.deepEqual(told.bindings.map(({ match }) => match.peer.id).toSorted(), channels);
    assert.deepEqual(Object.keys(told.channels.mattermost.groups).toSorted(), channels);
    await Promise.all(names.map((name) => deleteAgent(at.host, name, true)));
    assert.equal(live(at), "{}\n");
    assert.deepEqual([at.gitea.repositories.size, at.host.files.journals()], [0, []]);
  });

  test("secret-looking, named and large files and repositories stay and are told of", async (t) => {
    const at = await place(t);
    await newAgent(at.host, "ops", OPTIONS);
    const folder = at.workspace("ops");
    writeFileSync(join(folder, "notes.md"), `key ghp_${"a1B2".repeat(9)}\n`);
    writeFileSync(join(folder, ".env"), "X=1\n");
    writeFileSync(join(folder, "film.bin"), Buffer.alloc(11 * 1024 * 1024));
    mkdirSync(join(folder, "sub"));
    spawnSync("git", ["init", "--quiet", join(folder, "sub")]);
    writeFileSync(join(folder, "sub", "x"), "x");
    writeFileSync(join(folder, "fine.md"), "fine\n");
    const [synced] = await syncAgents(at.host, undefined);
    assert.deepEqual(synced?.report.held.map(({ path }) => path).toSorted(), [
      ".env",
      "film.bin",
      "notes.md",
      "sub",
    ]);
    assert.deepEqual(synced.report.commits, ["ops: add fine.md"]);
    const { kept } = await deleteAgent(at.host, "ops", false);
    assert.ok(kept !== undefined && existsSync(join(at.workspace("ops"), "../..", kept, ".env")));
  });

  test("changes on both sides go together; a conflict goes to a branch, and nothing is forced", async (t) => {
    const at = await place(t);
    await newAgent(at.host, "ops", OPTIONS);
    const file = (name: string): string => join(at.workspace("ops"), name);
    pushElsewhere(t, at, "ops", "theirs.md", "theirs\n");
    writeFileSync(file("ours.md"), "ours\n");
    const [together] = await syncAgents(at.host, "ops");
    assert.equal(together?.report.pulled, 1);
    assert.equal(readFileSync(file("theirs.md"), "utf8"), "theirs\n");
    assert.equal(at.gitea.git("ops", ["show", "main:ours.md"]), "ours");
    pushElsewhere(t, at, "ops", "ours.md", "another\n");
    writeFileSync(file("ours.md"), "mine\n");
    const [apart] = await syncAgents(at.host, "ops");
    const branch = apart?.report.conflict ?? "";
    assert.equal(at.gitea.git("ops", ["show", `${branch}:ours.md`]), "mine");
    assert.equal(at.gitea.git("ops", ["show", "main:ours.md"]), "another");
    assert.equal(readFileSync(file("ours.md"), "utf8"), "mine\n");
    // Settled by hand: the owner takes the agent's side.
    at.gitea.git("ops", [
      "update-ref",
      "refs/heads/main",
      at.gitea.git("ops", ["rev-parse", branch]),
    ]);
    const before = at.gitea.git("ops", ["rev-parse", "main"]);
    await syncAgents(at.host, "ops");
    assert.equal(at.gitea.git("ops", ["rev-parse", "main"]), before);
  });

  test("clocks that are months apart, in either direction, change nothing of how histories meet", async (t) => {
    const at = await place(t);
    for (const [name, days] of [
      ["ahead", 200],
      ["behind", -200],
    ] as const) {
      await newAgent(at.host, name, OPTIONS);
      for (const round of [1, 2]) {
        pushElsewhere(t, at, name, `theirs-${round}.md`, "theirs\n", days);
        writeFileSync(join(at.workspace(name), `ours-${round}.md`), "ours\n");
        const [synced] = await syncAgents(at.host, name);
        const { pulled, pushed, rewritten, conflict, failed } = synced?.report ?? {};
        assert.deepEqual(
          [pulled, pushed, rewritten, conflict, failed],
          [1, true, undefined, undefined, undefined],
          `${name}, ${round}`,
        );
      }
      assert.equal(at.gitea.git(name, ["rev-list", "--count", "main"]), "5");
      // Another time nothing is left to do, whatever the dates say.
      const [again] = await syncAgents(at.host, name);
      assert.deepEqual([again?.report.commits, again?.report.pushed], [[], false]);
    }
    // What was done last is by the clock of the files' own machine.
    const then = new Date(Date.now() + 200 * 86_400_000);
    utimesSync(at.workspace("ahead"), then, then);
    utimesSync(join(at.workspace("ahead"), "ours-1.md"), then, then);
    const { agents } = await listAgents(at.host);
    assert.ok(
      (agents.find(({ name }) => name === "ahead")?.active ?? "") <= new Date().toISOString(),
    );
  });

  test("a history rewritten upstream stays as it was made, and the agent's goes beside it", async (t) => {
    const at = await place(t);
    await newAgent(at.host, "ops", OPTIONS);
    const tree = at.gitea.git("ops", ["rev-parse", "main^{tree}"]);
    const other = at.gitea.git("ops", [
      "-c",
      "user.name=o",
      "-c",
      "user.email=o@o.invalid",
      "commit-tree",
      "-m",
      "anew",
      tree,
    ]);
    at.gitea.git("ops", ["update-ref", "refs/heads/main", other]);
    writeFileSync(join(at.workspace("ops"), "new.md"), "new\n");
    const [synced] = await syncAgents(at.host, "ops");
    assert.equal(synced?.report.rewritten, true);
    assert.equal(at.gitea.git("ops", ["rev-parse", "main"]), other);
    assert.equal(at.gitea.git("ops", ["show", `${synced.report.conflict}:new.md`]), "new");
  });

  test("a workspace or history deleted by hand is back", async (t) => {
    const at = await place(t);
    await newAgent(at.host, "ops", OPTIONS);
    rmSync(at.workspace("ops"), { recursive: true });
    const [back] = await syncAgents(at.host, "ops");
    assert.equal(back?.report.restored, true);
    assert.ok(existsSync(join(at.workspace("ops"), "AGENTS.md")));
    rmSync(at.host.files.git("ops"), { recursive: true });
    writeFileSync(join(at.workspace("ops"), "new.md"), "new\n");
    const [again] = await syncAgents(at.host, "ops");
    assert.deepEqual(again?.report.commits, ["ops: add new.md"]);
  });

  test("nothing that the bot puts into its workspace is run or followed", async (t) => {
    const at = await place(t);
    await newAgent(at.host, "ops", OPTIONS);
    const folder = at.workspace("ops");
    const proof = join(temporaryFolder(t), "ran");
    spawnSync("git", ["init", "--quiet", folder]);
    writeFileSync(
      join(folder, ".git", "config"),
      `[core]\n\tfsmonitor = "touch ${proof}"\n\thooksPath = ${folder}\n[filter "x"]\n\tclean = touch ${proof}\n`,
    );
    writeFileSync(join(folder, "pre-commit"), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    writeFileSync(join(folder, ".gitattributes"), "* filter=x\n");
    // The control: git itself would run it.
    spawnSync("git", ["status"], { cwd: folder });
    assert.ok(existsSync(proof));
    rmSync(proof);
    await syncAgents(at.host, "ops");
    assert.equal(existsSync(proof), false);
    rmSync(folder, { recursive: true });
    symlinkSync("/etc", folder);
    const [synced] = await syncAgents(at.host, "ops");
    assert.match(synced?.report.failed ?? "", /not a folder/);
  });
});
