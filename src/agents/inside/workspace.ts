import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { GivenFile, Jobs, Workspace } from "./Job.ts";
import { Git } from "./Git.ts";
import { JobError } from "./JobError.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export const BRANCH = "main";
export const UPSTREAM = `refs/remotes/origin/${BRANCH}`;

export function gitOf(workspace: Workspace, env: Environment): Git {
  const { agent, git, remote, variable } = workspace;
  const password = variable === undefined ? undefined : env[variable];
  return new Git({
    gitDir: git,
    workTree: pathOf(workspace),
    author: agent,
    ...(password === undefined
      ? {}
      : { password: { origin: new URL(remote).origin, value: password } }),
  });
}

/**
 * Where a workspace is. The bot may have put a link in its place: nothing of it is followed.
 *
 * @throws JobError `workspace`
 */
export function pathOf({ home, folder }: Pick<Workspace, "home" | "folder">): string {
  let path = home;
  for (const part of folder.split("/")) {
    if (part === "" || part === "." || part === "..")
      throw new JobError("workspace", "this can't be a workspace's folder");
    path = join(path, part);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isDirectory())
      throw new JobError("workspace", `"${folder}" is not a folder`);
  }
  return path;
}

/**
 * Makes a workspace: what the repository has, if it has something, else the template's files; and the
 * shared ones. Doing it again does what was left to do.
 */
export async function fillWorkspace(
  { workspace, template, shared, again }: Jobs["begin-workspace"]["takes"],
  env: Environment,
): Promise<void> {
  const path = pathOf(workspace);
  const there = existsSync(path);
  if (there && !again && readdirSync(path).some((name) => name !== ".git"))
    throw new JobError("exists", "there is something in the workspace's folder already");
  mkdirSync(path, { recursive: true, mode: 0o700 });
  await openHistory(workspace, env);
  const git = gitOf(workspace, env);
  const upstream = await git.commit(UPSTREAM);
  if (upstream !== undefined && (await git.commit("HEAD")) === undefined) {
    await git.run(["update-ref", `refs/heads/${BRANCH}`, upstream]);
    await git.run(["reset", "--quiet", "--hard", BRANCH]);
  }
  if ((await git.commit("HEAD")) === undefined) for (const file of template) put(path, file, false);
  for (const file of shared) put(path, file, true);
}

/** Makes the folder of the history where there is none, and gets what the remote has. */
export async function openHistory(workspace: Workspace, env: Environment): Promise<void> {
  const git = gitOf(workspace, env);
  if (!existsSync(join(workspace.git, "HEAD")) || !existsSync(join(workspace.git, "objects")))
    await git.run(["init", "--quiet", `--initial-branch=${BRANCH}`]);
  await fetchUpstream(git, workspace.remote);
}

/** Brings the remote's branch; that there is none yet is no fault. */
export async function fetchUpstream(git: Git, remote: string): Promise<void> {
  const refs = await git.text(["ls-remote", "--heads", remote, `refs/heads/${BRANCH}`]);
  if (refs === "") {
    await git.run(["update-ref", "-d", UPSTREAM]);
    return;
  }
  await git.run([
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    remote,
    `+refs/heads/${BRANCH}:${UPSTREAM}`,
  ]);
}

/** Writes a file, whole or not at all, below `root`; never through a link. Whether it changed anything. */
export function put(
  root: string,
  { path, base64, executable }: GivenFile,
  replace: boolean,
): boolean {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".." || part === ".git"))
    throw new JobError("workspace", "this can't be a file of a workspace");
  if (parts.length > 1) pathOf({ home: root, folder: parts.slice(0, -1).join("/") });
  const to = join(root, path);
  const bytes = Buffer.from(base64, "base64");
  const stats = lstatSync(to, { throwIfNoEntry: false });
  if (stats !== undefined && !replace) return false;
  if (stats?.isFile() === true && bytes.equals(readFileSync(to))) return false;
  if (stats?.isDirectory() === true)
    throw new JobError("workspace", `"${path}" is a folder in the workspace`);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const temporary = `${to}.seawall-new`;
  rmSync(temporary, { force: true });
  const fd = openSync(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fchmodSync(fd, executable === true ? 0o700 : 0o600);
    fsyncSync(fd);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, to);
  return true;
}

/** Removes a workspace, or moves it aside; one that is gone is no fault. */
export function dropWorkspace({ workspace, keepAs }: Jobs["drop-workspace"]["takes"]): {
  readonly dropped: boolean;
} {
  const path = pathOf(workspace);
  if (!existsSync(path)) return { dropped: false };
  if (keepAs === undefined) {
    rmSync(path, { recursive: true, force: true });
    return { dropped: true };
  }
  const to = pathOf({ home: workspace.home, folder: keepAs });
  if (existsSync(to)) throw new JobError("workspace", `"${keepAs}" is there already`);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  renameSync(path, to);
  return { dropped: true };
}

/** When each agent last wrote something: in its sessions, or at the top of its workspace. */
export function look({ home, agents }: Jobs["look"]["takes"]): Jobs["look"]["gives"] {
  const active = agents.flatMap(({ name, folder }) => {
    const places = [join(home, "state", "agents", name, "sessions"), join(home, folder)];
    const times = places.flatMap((place) => {
      try {
        return readdirSync(place)
          .slice(0, 10_000)
          .map((each) => lstatSync(join(place, each)).mtimeMs);
      } catch {
        return [];
      }
    });
    return times.length === 0 ? [] : [[name, Math.max(...times)] as const];
  });
  return { active: Object.fromEntries(active) };
}
