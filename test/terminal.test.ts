import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { lacking } from "./support/lacking.ts";
import { RunPlace } from "./support/RunPlace.ts";

const PYTHON = "/usr/bin/python3";
const PERSON = join(import.meta.dirname, "support/terminal.py");
const PROMPT = "outer% ";

describe(
  "seawall run at a terminal",
  { skip: lacking(PYTHON, ["-c", "import pty, termios"]) },
  () => {
    const place = new RunPlace();
    after(() => place[Symbol.dispose]());

    /** An interactive shell in a pseudo-terminal, in which `$S` is seawall run. */
    function person(steps: readonly (readonly [string, string])[]): string {
      const env = {
        ...place.env,
        PS1: PROMPT,
        TERM: "dumb",
        S: place.words(["run"]).join(" "),
        HISTFILE: "/dev/null",
      };
      const words = [PERSON, JSON.stringify(steps), "/bin/bash", "--norc", "--noprofile", "-i"];
      const done = spawnSync(PYTHON, words, { cwd: place.project, env, encoding: "utf8" });
      assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
      return done.stdout;
    }

    test("Ctrl-C reaches the command, which may go on", () => {
      const script = `trap "echo caught" INT; echo up; sleep 30; sleep 0.1; echo "went on"; exit 4`;
      writeFileSync(join(place.project, "trap.sh"), script);
      person([
        [PROMPT, "$S --profile shell -- sh trap.sh\n"],
        ["up", "\u0003"],
        ["caught", ""],
        ["went on", "echo code=$?\n"],
        ["code=4", ""],
      ]);
    });

    test("Ctrl-C ends a command that doesn't mind it, with the shell's exit code", () => {
      person([
        [PROMPT, "$S --profile node -- node -e 'console.log(`up`); setInterval(() => 0, 1000)'\n"],
        ["up\r\n", "\u0003"],
        [PROMPT, "echo code=$?\n"],
        ["code=130", ""],
      ]);
    });

    test("Ctrl-Z stops the job and fg goes on with it", () => {
      person([
        [PROMPT, "$S --profile shell -- sh -c 'echo up; read line; echo got $line; exit 6'\n"],
        ["up\r\n", "\u001a"],
        ["Stopped", ""],
        // The shell takes the terminal back a little after it says so: what is lost is an empty line.
        [PROMPT, "\n"],
        [PROMPT, "jobs; fg\n"],
        ["sh -c", "typed\n"],
        ["got typed", ""],
        [PROMPT, "echo code=$?\n"],
        ["code=6", ""],
      ]);
    });

    test("a command that stops itself stops the whole job", () => {
      person([
        [PROMPT, "$S --profile shell -- sh -c 'echo up; kill -STOP $$; echo on again'\n"],
        ["Stopped", "fg\n"],
        ["on again", ""],
        [PROMPT, ""],
      ]);
    });

    test("a shell inside has jobs of its own, and gives the terminal back", () => {
      person([
        [PROMPT, "$S --profile shell --env PS1=inner%\\  -- bash --norc --noprofile -i\n"],
        ["inner% ", "sh -c 'echo ready; exec cat'\n"],
        ["ready\r\n", "runs\n"],
        ["runs\r\nruns", "\u001a"],
        ["Stopped", "exit 3\n"],
        ["There are stopped jobs", "exit 3\n"],
        [PROMPT, "echo code=$?; sh -c 'echo steady; exec cat'\n"],
        ["code=3", ""],
        ["steady\r\n", "still here\n"],
        ["still here\r\nstill here", "\u0004"],
        [PROMPT, ""],
      ]);
    });

    test("the window's size is the terminal's, also when it changes", () => {
      const code = `console.log("size", process.stdout.columns); process.on("SIGWINCH", () => { console.log("now", process.stdout.columns); process.exit(0) }); setInterval(() => 0, 1000)`;
      writeFileSync(join(place.project, "size.js"), code);
      person([
        [PROMPT, "$S --profile node -- node size.js\n"],
        ["size 80", "SIZE 30 100"],
        ["now 100", ""],
      ]);
    });

    test("nothing can be typed into the terminal from inside", () => {
      // What is typed would be run by the shell outside once the command has ended.
      const type = `import fcntl, termios\ntry:\n  for c in "echo in''jected\\n": fcntl.ioctl(0, termios.TIOCSTI, c.encode())\n  print("typed")\nexcept OSError as e: print("refused", e.errno)`;
      writeFileSync(join(place.project, "type.py"), type);
      const shown = person([
        [PROMPT, `$S --profile python -- ${PYTHON} type.py\n`],
        ["refused 1", ""],
        [PROMPT, "echo after\n"],
        ["after\r\n", ""],
      ]);
      assert.doesNotMatch(shown, /injected/);
    });
  },
);
