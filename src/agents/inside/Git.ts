import { spawn } from "node:child_process";
import { JobError } from "./JobError.ts";

/**
 * Nothing that the folder of a workspace may say reaches git (git-config(1)): settings are ours, and the
 * history lies elsewhere, hooks and filters with it.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.attributesFile": "/dev/null",
  "core.excludesFile": "/dev/null",
  "core.autocrlf": "false",
  "core.quotePath": "false",
  "core.precomposeUnicode": "false",
  "commit.gpgSign": "false",
  "gc.autoDetach": "false",
  "maintenance.autoDetach": "false",
  "submodule.recurse": "false",
  "fetch.recurseSubmodules": "false",
  "push.recurseSubmodules": "no",
  "protocol.allow": "never",
  "protocol.https.allow": "always",
  "protocol.http.allow": "always",
  "protocol.file.allow": "always",
  "http.followRedirects": "false",
  "http.lowSpeedLimit": "100",
  "http.lowSpeedTime": "30",
  "safe.directory": "*",
  "advice.detachedHead": "false",
};
const LONGEST_OUTPUT = 64 * 1024 * 1024;

export interface GitPlace {
  readonly gitDir: string;
  readonly workTree?: string;
  /** In place of the repository's own. */
  readonly index?: string;
  /** Whose commits these are. */
  readonly author?: string;
  /** Sent as the password to this origin. */
  readonly password?: { readonly origin: string; readonly value: string };
}

export interface GitOptions {
  readonly input?: string;
  /** Exit codes besides 0 that are an answer. */
  readonly answers?: readonly number[];
}

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** git, for one repository. */
export class Git {
  readonly place: GitPlace;

  constructor(place: GitPlace) {
    this.place = place;
  }

  /** @throws JobError `disk`, `unreachable`, `refused` or `git` */
  async run(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
    const result = await this.#spawn(args, options.input);
    if (result.code === 0 || options.answers?.includes(result.code) === true) return result;
    throw faultOf(args[0] ?? "", result.stderr);
  }

  /** What it prints, without the newline at the end. */
  async text(args: readonly string[], options?: GitOptions): Promise<string> {
    return (await this.run(args, options)).stdout.toString().replace(/\n$/, "");
  }

  /** What it prints between NULs. */
  async list(args: readonly string[], options?: GitOptions): Promise<string[]> {
    const { stdout } = await this.run(args, options);
    return stdout
      .toString()
      .split("\0")
      .filter((part) => part !== "");
  }

  /** The commit that a name stands for, if there is one. */
  async commit(name: string): Promise<string | undefined> {
    const args = ["rev-parse", "--quiet", "--verify", `${name}^{commit}`];
    const { code, stdout } = await this.run(args, { answers: [1, 128] });
    return code === 0 ? stdout.toString().trim() : undefined;
  }

  #spawn(args: readonly string[], input: string | undefined): Promise<GitResult> {
    const { gitDir, workTree, index, author, password } = this.place;
    const settings = Object.entries(SETTINGS);
    if (password !== undefined) {
      const pair = Buffer.from(`x-access-token:${password.value}`).toString("base64");
      settings.push([`http.${password.origin}/.extraHeader`, `Authorization: Basic ${pair}`]);
    }
    const env: Record<string, string> = {
      PATH: process.env["PATH"] ?? "/usr/bin",
      HOME: "/nonexistent",
      LANG: "C.UTF-8",
      GIT_DIR: gitDir,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_ATTR_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "false",
      GIT_LITERAL_PATHSPECS: "1",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_EDITOR: ":",
      GIT_AUTHOR_NAME: author ?? "seawall",
      GIT_AUTHOR_EMAIL: `${author ?? "seawall"}@seawall.invalid`,
      GIT_COMMITTER_NAME: "seawall",
      GIT_COMMITTER_EMAIL: "seawall@seawall.invalid",
      GIT_CONFIG_COUNT: String(settings.length),
      ...(workTree === undefined ? {} : { GIT_WORK_TREE: workTree }),
      ...(index === undefined ? {} : { GIT_INDEX_FILE: index }),
    };
    for (const [at, [key, value]] of settings.entries()) {
      env[`GIT_CONFIG_KEY_${at}`] = key;
      env[`GIT_CONFIG_VALUE_${at}`] = value;
    }
    const ca = process.env["GIT_SSL_CAINFO"];
    if (ca !== undefined) env["GIT_SSL_CAINFO"] = ca;
    const { promise, resolve, reject } = Promise.withResolvers<GitResult>();
    const child = spawn("git", withLocalPrograms(args), {
      cwd: workTree ?? gitDir,
      env,
      stdio: "pipe",
    });
    const out: Buffer[] = [];
    let size = 0;
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > LONGEST_OUTPUT) child.kill("SIGKILL");
      else out.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < 65_536) stderr += text;
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
    child.once("error", (cause) => reject(new JobError("git", "git can't be started", cause)));
    child.once("close", (code) =>
      resolve({ code: code ?? 137, stdout: Buffer.concat(out), stderr }),
    );
    return promise;
  }
}

/**
 * For a repository of this host git starts `git-upload-pack` and `git-receive-pack`, which a wall with git alone
 * doesn't have; git itself is both of them.
 */
function withLocalPrograms(args: readonly string[]): readonly string[] {
  const [verb = "", ...rest] = args;
  const program = { "ls-remote": "upload-pack", fetch: "upload-pack", push: "receive-pack" }[verb];
  if (program === undefined || !rest.some((each) => each.startsWith("/"))) return args;
  return [verb, `--${program}=git ${program}`, ...rest];
}

function faultOf(verb: string, stderr: string): JobError {
  if (/No space left on device|Disk quota exceeded|unable to write/i.test(stderr))
    return new JobError("disk", "there is no room on the disk");
  if (
    /Could not resolve|Failed to connect|Connection (?:refused|reset)|timed out|error: 5\d\d|returned error: 5|unexpected disconnect|early EOF|Empty reply|SSL|hung up/i.test(
      stderr,
    )
  )
    return new JobError("unreachable", "the repository can't be reached");
  if (
    /Authentication failed|returned error: 4|not found|not appear to be a git repository|denied|archived/i.test(
      stderr,
    )
  )
    return new JobError("refused", `the repository refuses git ${verb}`);
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return new JobError(
    "git",
    `git ${verb} failed: ${last.replace(/[^\p{L}\p{N} .,:;'"()/_-]/gu, "").slice(0, 160)}`,
  );
}
