import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Held, Jobs, SyncReport, Workspace } from "./Job.ts";
import { commitMessage, type Change } from "./commitMessage.ts";
import { Git } from "./Git.ts";
import { heldBecause } from "./heldBecause.ts";
import { JobError } from "./JobError.ts";
import { BRANCH, fetchUpstream, gitOf, openHistory, pathOf, put, UPSTREAM } from "./workspace.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The remote's commit that was last seen: what it says later has to have that in it. */
const SEEN = "refs/seawall/upstream";
/** The branch that commits go to while they don't go together with the remote's. */
const CONFLICT = "refs/seawall/conflict/";
const PUSHES = 3;

/**
 * Commits what changed in a workspace, takes in what the remote has, and gives it what is new. Nothing is
 * ever forced: commits that don't go together go to a branch of their own, and the workspace stays as
 * it is.
 */
export async function syncWorkspace(
  { workspace, shared, largest, title }: Jobs["sync"]["takes"],
  env: Environment,
): Promise<SyncReport> {
  const path = pathOf(workspace);
  const restored = await restoreWhatIsGone(workspace, path, env);
  const git = gitOf(workspace, env);
  const commits: string[] = [];
  const held: Held[] = [];
  const commit = async (said?: string): Promise<void> => {
    const made = await commitChanges(git, { agent: workspace.agent, largest, held, title: said });
    if (made !== undefined) commits.push(made);
  };
  await commit(title);
  // Afterwards, so that what the agent wrote into them is in the history.
  const changed = shared.filter((file) => put(path, file, true)).map((file) => file.path);
  if (changed.length > 0) await commit(`Bring the shared ${changed.join(" and ")}`);
  const base = { commits, held, ...(restored ? { restored: true as const } : {}) };
  try {
    return { ...base, ...(await meetRemote(git, workspace)) };
  } catch (error) {
    if (!(error instanceof JobError) || error.code === "disk") throw error;
    return { ...base, pulled: 0, pushed: false, failed: error.message };
  }
}

/** A workspace that somebody removed comes back from the last commit; it isn't taken as the wish to lose all. */
async function restoreWhatIsGone(
  workspace: Workspace,
  path: string,
  env: Environment,
): Promise<boolean> {
  const history = existsSync(join(workspace.git, "HEAD"));
  const gone = !existsSync(path) || readdirSync(path).every((name) => name === ".git");
  if (gone) mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!history) await openHistory(workspace, env);
  const git = gitOf(workspace, env);
  const upstream = await git.commit(UPSTREAM);
  if (!history && upstream !== undefined)
    await git.run(["update-ref", `refs/heads/${BRANCH}`, upstream]);
  if (!history && upstream !== undefined && !gone) await git.run(["reset", "--quiet", BRANCH]);
  if (!gone || (await git.commit("HEAD")) === undefined) return false;
  await git.run(["reset", "--quiet", "--hard", "HEAD"]);
  return true;
}

interface CommitOptions {
  readonly agent: string;
  readonly largest: number;
  readonly held: Held[];
  readonly title: string | undefined;
}

/** Its first line, if anything changed. What is looked at is what is committed: the blobs in the index. */
async function commitChanges(git: Git, options: CommitOptions): Promise<string | undefined> {
  const { agent, largest, held, title } = options;
  const tell = (path: string, why: string): void => {
    if (!held.some((each) => each.path === path)) held.push({ path, why });
  };
  await git.run([
    "reset",
    "--quiet",
    ...((await git.commit("HEAD")) === undefined ? [] : ["HEAD"]),
  ]);
  const wanted: string[] = [];
  for (const entry of await git.list(["status", "--porcelain=v1", "-z", "-uall", "--no-renames"])) {
    const path = entry.slice(3);
    const why = heldByItself(git, path, largest);
    if (why === undefined) wanted.push(path);
    else tell(path.replace(/\/$/, ""), why);
  }
  const paths = wanted.map((path) => `${path}\0`).join("");
  if (paths !== "")
    await git.run(["add", "--all", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"], {
      input: paths,
    });
  const changes: Change[] = [];
  for (const { status, path, blob } of await staged(git)) {
    const why = blob === undefined ? undefined : await heldByContent(git, path, blob, largest);
    if (why === undefined) {
      changes.push({ kind: status, path });
      continue;
    }
    tell(path, why);
    await git.run([
      "reset",
      "--quiet",
      ...((await git.commit("HEAD")) === undefined ? [] : ["HEAD"]),
      "--",
      path,
    ]);
  }
  // A history begins even where there is no template.
  const begins = title !== undefined && (await git.commit("HEAD")) === undefined;
  if (changes.length === 0 && !begins) return undefined;
  const message = commitMessage(agent, changes, title);
  await git.run(["commit", "--quiet", "--no-verify", "--allow-empty", "--file=-"], {
    input: message,
  });
  return message.split("\n", 1)[0];
}

function heldByItself(git: Git, path: string, largest: number): string | undefined {
  if (path.endsWith("/")) return "it is a repository of its own";
  const stats = lstatSync(join(git.place.workTree ?? "", path), { throwIfNoEntry: false });
  if (stats === undefined || stats.isSymbolicLink()) return undefined;
  if (!stats.isFile()) return "it is no file";
  return stats.size > largest ? tooLarge(largest) : undefined;
}

async function heldByContent(
  git: Git,
  path: string,
  blob: string,
  largest: number,
): Promise<string | undefined> {
  const size = Number(await git.text(["cat-file", "-s", blob]));
  if (size > largest) return tooLarge(largest);
  const { stdout } = await git.run(["cat-file", "blob", blob]);
  return heldBecause(path, stdout);
}

function tooLarge(largest: number): string {
  return `it is larger than ${Math.round(largest / 1024 / 1024)} MB`;
}

interface Staged {
  readonly status: Change["kind"];
  readonly path: string;
  /** Absent for what goes. */
  readonly blob?: string;
}

/** git-diff-index(1), "raw output format". */
async function staged(git: Git): Promise<Staged[]> {
  const empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  const head = (await git.commit("HEAD")) ?? empty;
  const fields = await git.list(["diff-index", "--cached", "-z", "--no-renames", head]);
  const out: Staged[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode = "", , blob = "", status = ""] = (fields[at] ?? "").split(" ");
    const path = fields[at + 1] ?? "";
    if (status === "D") out.push({ status: "remove", path });
    // A commit of another repository has no blob here.
    else if (mode !== "160000") out.push({ status: status === "A" ? "add" : "change", path, blob });
  }
  return out;
}

/** Fetches, rebases beside the workspace, moves it there if it went well, and pushes. */
async function meetRemote(
  git: Git,
  workspace: Workspace,
): Promise<Pick<SyncReport, "pulled" | "pushed" | "conflict" | "rewritten" | "failed">> {
  const { remote } = workspace;
  let pulled = 0;
  for (let attempt = 0; attempt < PUSHES; attempt++) {
    const before = await git.commit(SEEN);
    await fetchUpstream(git, remote);
    const upstream = await git.commit(UPSTREAM);
    const head = await git.commit("HEAD");
    if (head === undefined) return { pulled, pushed: false };
    const lost =
      before !== undefined && (upstream === undefined || !(await isIn(git, before, upstream)));
    if (lost && !(await isIn(git, head, upstream))) {
      // Somebody rewrote or removed the branch: theirs stays as they made it, ours goes beside it.
      return {
        pulled,
        pushed: true,
        rewritten: true,
        conflict: await pushBeside(git, workspace, head),
      };
    }
    if (upstream !== undefined && !(await isIn(git, upstream, head))) {
      const next = (await isIn(git, head, upstream)) ? upstream : await rebase(git, upstream);
      if (next === undefined)
        return { pulled, pushed: true, conflict: await pushBeside(git, workspace, head) };
      const files = await git.list(["diff", "--name-only", "-z", head, next]);
      const moved = await git.run(["read-tree", "-m", "-u", head, next], { answers: [1, 128] });
      if (moved.code !== 0)
        return {
          pulled,
          pushed: false,
          failed: "files that the remote has were just being written",
        };
      await git.run(["update-ref", `refs/heads/${BRANCH}`, next, head]);
      pulled += files.length;
    }
    const now = (await git.commit("HEAD")) ?? head;
    if (now === upstream) {
      await seen(git, now);
      return { pulled, pushed: false };
    }
    const pushed = await git.run(["push", "--quiet", remote, `HEAD:refs/heads/${BRANCH}`], {
      answers: [1],
    });
    if (pushed.code === 0) {
      await git.run(["update-ref", UPSTREAM, now]);
      await seen(git, now);
      return { pulled, pushed: true };
    }
    // Refused because somebody else pushed in between, or for good.
    if (!/\[rejected\]|fetch first|non-fast-forward/.test(pushed.stderr))
      throw new JobError("refused", "the repository refuses the push");
  }
  return { pulled, pushed: false, failed: "others push all the time" };
}

async function seen(git: Git, commit: string): Promise<void> {
  await git.run(["update-ref", SEEN, commit]);
  for (const ref of await git.list(["for-each-ref", "--format=%(refname)%00", CONFLICT]))
    await git.run(["update-ref", "-d", ref.trim()]);
}

async function isIn(git: Git, commit: string, other: string | undefined): Promise<boolean> {
  if (other === undefined) return false;
  const { code } = await git.run(["merge-base", "--is-ancestor", commit, other], { answers: [1] });
  return code === 0;
}

/** Our commits on top of theirs, if that goes without a conflict; done in a folder of its own. */
async function rebase(git: Git, upstream: string): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "rebase-"));
  const tree = join(folder, "tree");
  try {
    await git.run(["worktree", "add", "--quiet", "--detach", tree, "HEAD"]);
    const there = new Git({ ...git.place, gitDir: join(tree, ".git"), workTree: tree });
    const done = await there.run(["rebase", "--quiet", "--no-autostash", upstream], {
      answers: [1, 128],
    });
    return done.code === 0 ? await there.commit("HEAD") : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await git.run(["worktree", "prune"]);
  }
}

/** The same branch until the conflict is over. Never forced: one that others changed is left, and another made. */
async function pushBeside(git: Git, { agent, remote }: Workspace, head: string): Promise<string> {
  const [known = ""] = await git.list(["for-each-ref", "--format=%(refname)%00", CONFLICT]);
  const fresh = `seawall/${agent}-${head.slice(0, 10)}`;
  const branch = known.trim() === "" ? fresh : known.trim().slice(CONFLICT.length);
  for (const name of new Set([branch, fresh])) {
    const { code } = await git.run(["push", "--quiet", remote, `${head}:refs/heads/${name}`], {
      answers: [1],
    });
    if (code !== 0) continue;
    await git.run(["update-ref", `${CONFLICT}${name}`, head]);
    return name;
  }
  throw new JobError("refused", "the repository refuses a branch for what is in conflict");
}
