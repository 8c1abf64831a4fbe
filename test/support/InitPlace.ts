import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { COMPILED } from "./runSeawall.ts";
import { temporaryFolder } from "./temporaryFolder.ts";

const PYTHON = "/usr/bin/python3";
const PERSON = join(import.meta.dirname, "terminal.py");
const MAIN = resolve(import.meta.dirname, "../../src/cli/start.cjs");

export const NEEDS_TERMINAL = [PYTHON, ["-c", "import pty, termios"]] as const;

export interface Ended {
  /** Exit code, or the negative number of the signal. */
  readonly code: number;
  readonly shown: string;
}

/** A home and a folder of somebody who types `seawall init`, and a state folder that nobody has made. */
export class InitPlace {
  readonly root: string;
  readonly work: string;
  readonly home: string;
  readonly state: string;
  readonly env: Readonly<Record<string, string | undefined>>;

  constructor(t: TestContext) {
    this.root = temporaryFolder(t);
    [this.work, this.home] = [join(this.root, "work"), join(this.root, "home")];
    mkdirSync(this.work);
    mkdirSync(this.home);
    this.state = join(this.root, "state");
    this.env = {
      PATH: process.env["PATH"],
      ...COMPILED,
      HOME: this.home,
      SEAWALL_STATE: this.state,
      SEAWALL_STORE: join(this.root, "store"),
      NO_COLOR: "1",
      TERM: "xterm",
    };
  }

  /** At a real pseudo-terminal; each step waits for a text and types one. Waits for the end. */
  type(steps: readonly (readonly [string, string])[], ...args: readonly string[]): Ended {
    const all = JSON.stringify([...steps, ["", "END"]]);
    const done = spawnSync(PYTHON, [PERSON, all, process.execPath, MAIN, "init", ...args], {
      cwd: this.work,
      env: this.env,
      encoding: "utf8",
    });
    assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
    return { code: Number(done.stderr.trim()), shown: done.stdout };
  }

  /** Without a terminal, as a script. */
  run(args: readonly string[], input = "") {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      cwd: this.work,
      env: this.env,
      input,
      encoding: "utf8",
    });
    return { code: status, stdout, stderr };
  }

  /** Everything below its folders but what Node compiled. */
  files(): readonly string[] {
    return readdirSync(this.root, { recursive: true, encoding: "utf8" })
      .filter((name) => !["work", "home", "store"].includes(name) && !name.startsWith("store/"))
      .toSorted();
  }
}
