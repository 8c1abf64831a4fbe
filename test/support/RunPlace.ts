import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const START = resolve(import.meta.dirname, "../../src/cli/start.cjs");

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A home with a project in it, for `seawall run` as a person calls it. Not in /tmp, where inside a wall
 * everything is the command's own.
 */
export class RunPlace implements Disposable {
  readonly root: string;
  readonly home: string;
  readonly project: string;
  readonly profiles: string;
  readonly env: Readonly<Record<string, string>>;

  constructor() {
    this.root = realpathSync(mkdtempSync("/var/tmp/seawall-run-"));
    this.home = join(this.root, "home");
    this.project = join(this.home, "project");
    this.profiles = join(this.home, ".config/seawall/profiles");
    mkdirSync(this.project, { recursive: true });
    mkdirSync(this.profiles, { recursive: true });
    this.env = {
      HOME: this.home,
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      SEAWALL_STATE: join(this.root, "state"),
      SEAWALL_STORE: join(this.root, "store"),
      CANARY_VARIABLE: "canary-of-the-environment",
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Words with which a shell would start the command line. */
  words(args: readonly string[]): readonly string[] {
    return [process.execPath, START, ...args];
  }

  call(args: readonly string[], input = "", cwd = this.project): RunResult {
    const [program = "", ...rest] = this.words(args);
    const { status, stdout, stderr } = spawnSync(program, rest, {
      cwd,
      env: this.env,
      input,
      encoding: "utf8",
      timeout: 120_000,
    });
    return { code: status, stdout, stderr };
  }

  /** Writes a file of the home, and the folders on the way. */
  write(name: string, text: string, mode = 0o600): string {
    const file = join(this.home, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode });
    return file;
  }

  profile(name: string, content: unknown): string {
    const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
    return this.write(`.config/seawall/profiles/${name}.json`, text);
  }

  has(name: string): boolean {
    return existsSync(join(this.home, name));
  }
}
