import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An object of a repository. */
export interface GitObject {
  readonly id: string;
  readonly type: "blob" | "commit" | "tag" | "tree";
  readonly content: Buffer;
}

/** Larger objects aren't taken apart; nothing that people write is that large. */
const LARGEST_OBJECT = 64 * 1024 * 1024;
const MOST_OBJECTS = 5_000_000;

/**
 * One repository's objects, reachable or not, through git with nothing of the repository's own
 * configuration: it gets an empty repository of ours, and the objects of the other.
 */
export class History {
  readonly #git: string;
  readonly #folder: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #commits: string[] = [];
  /** Objects left out, as they are too large. */
  tooLarge = 0;

  /** @param repository holds `objects`. */
  constructor(git: string, repository: string) {
    this.#git = git;
    this.#folder = mkdtempSync("/tmp/git-");
    const own = join(this.#folder, "own");
    for (const name of ["objects", "refs"]) mkdirSync(join(own, name), { recursive: true });
    writeFileSync(join(own, "HEAD"), "ref: refs/heads/none\n");
    const objects = join(repository, "objects");
    const sha256 = usesSha256(objects);
    const version = sha256
      ? "repositoryformatversion = 1\n[extensions]\nobjectFormat = sha256\n"
      : "repositoryformatversion = 0\n";
    writeFileSync(join(own, "config"), `[core]\nbare = true\n${version}`);
    this.#environment = {
      GIT_DIR: own,
      GIT_OBJECT_DIRECTORY: objects,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_NO_LAZY_FETCH: "1",
      GIT_NO_REPLACE_OBJECTS: "1",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ALLOC_LIMIT: "512m",
      HOME: "/nonexistent",
      LC_ALL: "C",
    };
  }

  /** @throws Error with a reason in words, after all that could be read. */
  async *objects(): AsyncGenerator<GitObject> {
    const ids: string[] = [];
    let rest = "";
    for await (const chunk of this.#run([
      "cat-file",
      "--batch-check",
      "--batch-all-objects",
      "--unordered",
    ])) {
      const lines = (rest + chunk.toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [id = "", type = "", size = ""] = line.split(" ");
        if (!/^[0-9a-f]{40,64}$/.test(id)) continue;
        if (type === "commit") this.#commits.push(id);
        if (Number(size) > LARGEST_OBJECT) this.tooLarge++;
        else ids.push(id);
      }
      if (ids.length > MOST_OBJECTS) throw new Error("its history has too many objects");
    }
    yield* this.#contents(ids);
  }

  async *#contents(ids: readonly string[]): AsyncGenerator<GitObject> {
    let held = Buffer.alloc(0);
    let wanted: { id: string; type: GitObject["type"]; size: number } | undefined;
    for await (const chunk of this.#run(
      ["cat-file", "--batch", "--buffer"],
      `${ids.join("\n")}\n`,
    )) {
      held = Buffer.concat([held, chunk]);
      for (;;) {
        if (wanted === undefined) {
          const end = held.indexOf(10);
          if (end < 0) break;
          const [id = "", type = "", size = ""] = held.toString("latin1", 0, end).split(" ");
          held = held.subarray(end + 1);
          if (/^(?:blob|commit|tag|tree)$/.test(type) && /^\d+$/.test(size))
            wanted = { id, type: type as GitObject["type"], size: Number(size) };
          continue;
        }
        // A line end stands behind each object.
        if (held.length < wanted.size + 1) break;
        const { id, type, size } = wanted;
        yield { id, type, content: held.subarray(0, size) };
        held = held.subarray(size + 1);
        wanted = undefined;
      }
    }
  }

  /** The first commit that brought the object, and the name it has there. */
  locate(id: string): { readonly commit?: string; readonly file?: string } {
    const options = "-m --no-ext-diff --no-textconv --no-renames --diff-filter=AMT --name-only -z";
    const { stdout } = spawnSync(
      this.#git,
      ["log", "--stdin", "--find-object", id, "--format=%x01%H%x01", ...options.split(" ")],
      {
        env: this.#environment,
        input: `${this.#commits.join("\n")}\n`,
        maxBuffer: 1 << 22,
        cwd: this.#folder,
      },
    );
    const [commit = "", names = ""] = (stdout ?? "").toString("utf8").split("\u0001").slice(-2);
    const file = names.split("\0").find((name) => name.trim() !== "");
    return commit === "" ? {} : { commit, ...(file === undefined ? {} : { file: file.trim() }) };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async *#run(args: readonly string[], input = ""): AsyncGenerator<Buffer> {
    const child = spawn(this.#git, [...args], {
      env: this.#environment,
      cwd: this.#folder,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once("error", () => resolve(null));
      child.once("close", resolve);
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    try {
      for await (const chunk of child.stdout) yield chunk as Buffer;
    } finally {
      child.kill("SIGKILL");
    }
    if ((await ended) !== 0)
      throw new Error("its history is damaged, or of a kind that git can't read");
  }
}

/** By the length of the names that git gives its files (gitrepository-layout(5)). */
function usesSha256(objects: string): boolean {
  const names = (folder: string): string[] => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  const pack = names(join(objects, "pack")).find((name) => name.endsWith(".pack"));
  if (pack !== undefined) return /^pack-[0-9a-f]{64}\./.test(pack);
  const loose = names(objects).find((name) => /^[0-9a-f]{2}$/.test(name));
  return loose !== undefined && names(join(objects, loose)).some((name) => name.length === 62);
}
