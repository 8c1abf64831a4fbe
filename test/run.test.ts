import assert from "node:assert/strict";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer as createHttp } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { spawn, spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { freePort } from "./support/Deployment.ts";
import { lacking } from "./support/lacking.ts";
import { RunPlace } from "./support/RunPlace.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** Node runs what is tried inside; a control runs the same without a wall. */
function outside(place: RunPlace, code: string): string {
  const done = spawnSync(process.execPath, ["-e", code], { cwd: place.project, encoding: "utf8" });
  return done.stdout.trim();
}

const READ = (file: string) =>
  `try { console.log(require("fs").readFileSync(${JSON.stringify(file)}, "utf8").trim()) } catch (e) { console.log(e.code) }`;
const WRITE = (file: string) =>
  `try { require("fs").writeFileSync(${JSON.stringify(file)}, "x"); console.log("written") } catch (e) { console.log(e.code) }`;

describe("seawall run", () => {
  const place = new RunPlace();
  after(() => place[Symbol.dispose]());
  const run = (...args: string[]) => place.call(["run", ...args]);
  const code = (text: string, ...flags: string[]) => {
    const { stdout, stderr, code } = run(...flags, "--", "node", "-e", text);
    return code === 0 ? stdout.trim() : `${code}: ${stderr}`;
  };

  test("passes on exit code, output, errors and input, and adds nothing to them", () => {
    const script = "cat; echo out; echo err >&2; exit 7";
    const done = place.call(["run", "--profile", "shell", "--", "sh", "-c", script], "in\n");
    assert.deepEqual(done, { code: 7, stdout: "in\nout\n", stderr: "err\n" });
    assert.equal(run("--profile", "shell", "--", "sh", "-c", "kill -9 $$").code, 128 + 9);
  });

  test("shows no file that wasn't granted, and grants as much as the flag says", () => {
    const file = place.write("data/secret.txt", "of the owner");
    assert.equal(outside(place, READ(file)), "of the owner");
    assert.equal(code(READ(file)), "ENOENT");
    assert.equal(code(READ(file), "--read", join(place.home, "data")), "of the owner");
    assert.equal(code(WRITE(file), "--read", join(place.home, "data")), "EROFS");
    assert.equal(code(READ(file), "--write", join(place.home, "data")), "EACCES");
    assert.equal(code(WRITE(file), "--write", join(place.home, "data")), "written");
    assert.equal(readFileSync(file, "utf8"), "x");
    assert.equal(code(READ(file), "--read-file", file), "x");
    assert.equal(code(READ(file), "--read-file", file.replace("secret", "../data/secret")), "x");
  });

  test("follows a link that is granted, by both names, and no other link", () => {
    place.write("real/inner.txt", "inner");
    place.write("other/outer.txt", "outer");
    symlinkSync(join(place.home, "real"), join(place.home, "link"));
    symlinkSync(join(place.home, "other"), join(place.home, "real/out"));
    const flags = ["--read", join(place.home, "link")];
    assert.equal(code(READ(join(place.home, "link/inner.txt")), ...flags), "inner");
    assert.equal(code(READ(join(place.home, "real/inner.txt")), ...flags), "inner");
    assert.equal(outside(place, READ(join(place.home, "real/out/outer.txt"))), "outer");
    assert.equal(code(READ(join(place.home, "real/out/outer.txt")), ...flags), "ENOENT");
  });

  test("tells relative paths from where the call is made", () => {
    writeFileSync(join(place.project, "here.txt"), "here");
    assert.equal(code(READ(join(place.project, "here.txt")), "--read", "."), "here");
    assert.equal(code(READ(join(place.project, "here.txt")), "--read", "../project"), "here");
    assert.equal(code(READ(join(place.project, "here.txt")), "--allow-cwd"), "here");
  });

  test("keeps keys out of sight and settings unchanged inside of what is allowed", () => {
    const key = place.write(".ssh/id_ed25519", "a key");
    const rc = place.write(".bashrc", "# rc");
    spawnSync("git", ["init", "-q", place.project]);
    const hook = join(place.project, ".git/hooks/pre-commit");
    assert.equal(outside(place, READ(key)), "a key");
    assert.equal(code(READ(key), "--allow", place.home), "ENOENT");
    assert.equal(
      code(READ(key), "--allow", place.home, "--read", join(place.home, ".ssh")),
      "a key",
    );
    assert.equal(code(READ(rc), "--allow", place.home), "# rc");
    assert.equal(code(WRITE(rc), "--allow", place.home), "EROFS");
    assert.equal(code(WRITE(hook), "--allow-cwd"), "EROFS");
    assert.equal(code(WRITE(join(place.project, "new")), "--allow-cwd"), "written");
    assert.equal(outside(place, WRITE(hook)), "written");
  });

  test("Seawall's own folders can't be written, nor its state be read, by whatever is granted", () => {
    const state = place.write("../state/kept/secret", "a secret of the vault");
    const stored = place.write("../store/command-cache/code", "what runs outside");
    assert.equal(outside(place, READ(state)), "a secret of the vault");
    assert.equal(outside(place, WRITE(stored)), "written");
    assert.equal(code(READ(state), "--allow", place.root), "ENOENT");
    assert.equal(code(WRITE(stored), "--allow", place.root), "EROFS");
    // A link to it is no way round.
    symlinkSync(join(place.root, "store"), join(place.home, "link-to-store"));
    for (const path of [
      join(place.root, "state"),
      join(place.root, "store/command-cache"),
      join(place.home, "link-to-store"),
      join(place.home, ".config/seawall/profiles"),
      join(ROOT, "build/packed"),
      join(ROOT, "src/cli/start.cjs"),
      ROOT,
    ]) {
      for (const flag of ["--write", "--allow"]) {
        const refused = run(flag, path, "--", "true");
        assert.equal(refused.code, 2, path);
        assert.match(refused.stderr, /can't be written: .* is there/);
      }
    }
    const around = run("--dry-run", "--json", "--allow", dirname(ROOT), "--", "true");
    const { kept } = JSON.parse(around.stdout) as { kept: { path: string; access: string }[] };
    assert.deepEqual(
      kept.filter(({ path }) => path === ROOT).map(({ access }) => access),
      ["read-only"],
    );
    assert.equal(code(READ(join(ROOT, "package.json")), "--read", ROOT).includes("seawall"), true);
  });

  test("denies inside of what is allowed, what isn't there yet included", () => {
    mkdirSync(join(place.project, "private"));
    writeFileSync(join(place.project, "private/a"), "a");
    place.profile("denying", {
      extends: "node",
      workdir: { access: "readwrite" },
      filesystem: { deny: ["$WORKDIR/private", "$WORKDIR/later"] },
    });
    const flags = ["--profile", "denying"];
    assert.equal(outside(place, READ(join(place.project, "private/a"))), "a");
    assert.equal(code(READ(join(place.project, "private/a")), ...flags), "ENOENT");
    assert.notEqual(code(WRITE(join(place.project, "later")), ...flags), "written");
    assert.equal(place.has("project/later"), false);
  });

  test("executes nothing that wasn't granted, nor what it may write", () => {
    const spawned = (program: string) =>
      `const r = require("child_process").spawnSync(${JSON.stringify(program)}, ["--version"]); console.log(r.error?.code ?? r.status)`;
    assert.equal(outside(place, spawned("/usr/bin/ls")), "0");
    assert.equal(code(spawned("/usr/bin/ls")), "ENOENT");
    assert.equal(code(spawned("ls"), "--allow-command", "ls"), "0");
    assert.equal(code(spawned("/usr/lib/ld-linux-x86-64.so.2")), code(spawned("/nonexistent")));
    const copied = `require("fs").copyFileSync(process.execPath, "copy"); require("fs").chmodSync("copy", 0o755); ${spawned("./copy")}`;
    assert.equal(outside(place, copied), "0");
    assert.equal(code(copied, "--allow-cwd"), "EACCES");
    const refused = run("--allow-cwd", "--", "./copy");
    assert.deepEqual(
      [refused.code, /can't be run where it may be written/.test(refused.stderr)],
      [2, true],
    );
    assert.equal(run("--read", ".", "--", "./copy", "-e", "0").code, 0);
  });

  test("runs a script by its interpreter, written or not", () => {
    writeFileSync(join(place.project, "script.sh"), '#!/bin/sh\necho "$1 $#"\n', { mode: 0o755 });
    assert.equal(run("--allow-cwd", "--", "./script.sh", "one", "two").stdout, "one 2\n");
    writeFileSync(
      join(place.project, "script.js"),
      "#!/usr/bin/env node\nconsole.log(process.argv.length)",
      { mode: 0o755 },
    );
    assert.equal(run("--", "./script.js", "one").stdout, "3\n");
  });

  test("clears the environment to a short list", () => {
    const print = "console.log(JSON.stringify(process.env))";
    assert.match(
      spawnSync(process.execPath, ["-e", print], { env: place.env, encoding: "utf8" }).stdout,
      /canary-of/,
    );
    const inside = JSON.parse(code(print)) as Record<string, string>;
    const usual = [
      "HOME",
      "LANG",
      "LOGNAME",
      "PATH",
      "PWD",
      "TERM",
      "TMPDIR",
      "USER",
      "TZ",
      "NO_COLOR",
    ];
    assert.deepEqual(
      Object.keys(inside).filter((name) => !usual.includes(name)),
      [],
    );
    assert.match(code(print, "--env", "CANARY_VARIABLE"), /canary-of/);
    assert.match(code(print, "--env", "A_B=c=d"), /"A_B":"c=d"/);
  });

  test("shows no Unix socket of the host, by path nor abstract", async (t) => {
    const byPath = join(place.root, "socket");
    const abstract = `\0seawall-run-${process.pid}`;
    for (const name of [byPath, abstract]) {
      const server = createServer((socket) => socket.end("host")).listen(name);
      t.after(() => server.close());
      await once(server, "listening");
      const dial = `require("net").connect(${JSON.stringify(name)}).on("data", (d) => console.log(String(d))).on("error", (e) => console.log(e.code))`;
      const done = spawn(process.execPath, ["-e", dial], { stdio: ["ignore", "pipe", "inherit"] });
      assert.equal(String(((await once(done.stdout, "data")) as [Buffer])[0]).trim(), "host");
      assert.match(code(dial), /^(ENOENT|ECONNREFUSED|EPERM|EACCES)$/);
    }
    for (const path of ["/run", "/var/run", "/tmp", "/proc", "/dev", "/dev/shm", "/sys"])
      assert.equal(run("--allow", path, "--", "true").code, 2, path);
  });

  test("bounds memory and processes", () => {
    const eat = `const a = []; for (let i = 0; i < 40; i++) a.push(Buffer.alloc(16 << 20, 1)); console.log("ate")`;
    assert.equal(outside(place, eat), "ate");
    assert.equal(code(eat), "ate");
    assert.notEqual(run("--memory", "300M", "--", "node", "-e", eat).code, 0);
    const fork = `let n = 0; try { for (; n < 40; n++) { const c = require("child_process").spawn("sleep", ["5"], { stdio: "ignore" }); if (c.pid === undefined) break; c.on("error", () => 0); } } catch { } console.log(n < 40 ? "few" : "many"); process.exit(0)`;
    assert.equal(code(fork, "--allow-command", "sleep"), "many");
    assert.equal(code(fork, "--allow-command", "sleep", "--max-processes", "30"), "few");
  });

  test("built-in profiles bring limits, which a flag replaces one by one, upwards too", () => {
    const limits = (...flags: string[]) => {
      const { stdout, stderr } = run(...flags, "--", "cat", "/proc/self/limits");
      const of = (name: string) => new RegExp(`^Max ${name} +\\S+ +(\\S+)`, "m").exec(stdout)?.[1];
      return [of("open files"), of("file size")].map((text) => text ?? stderr);
    };
    const gigabytes = (count: number) => String(count * 2 ** 30);
    const flags = ["--max-open-files", "500", "--max-file-size", "20G"];
    assert.deepEqual(limits("--profile", "shell"), ["16384", gigabytes(16)]);
    assert.deepEqual(limits("--profile", "shell", ...flags), ["500", gigabytes(20)]);
    assert.equal(limits(...flags)[1], gigabytes(20));
    // Fewer than building the wall takes.
    assert.equal(limits("--profile", "shell", "--max-open-files", "30")[0], "30");
    // What is narrower already stays, and nothing fails for it.
    const narrow = ["prlimit", "--nofile=9000:9000", ...place.words(["run", "--profile", "shell"])];
    const [program, ...words] = [...narrow, "--", "cat", "/proc/self/limits"];
    const done = spawnSync(program, words, {
      cwd: place.project,
      env: place.env,
      encoding: "utf8",
    });
    assert.match(done.stdout, /^Max open files +9000 +9000/m, done.stderr);
  });

  test("what lies in the system's library folders isn't code, but for what is loaded", (t) => {
    const loader = findLoader();
    const program = "/usr/lib/git-core/git-daemon";
    if (loader === undefined || !existsSync(program)) return t.skip("needs git's own programs");
    const through = [loader, program, "--help"];
    // git says how it is called, and ends with 129.
    assert.equal(spawnSync(loader, [program, "--help"]).status, 129);
    const done = run("--profile", "node", "--allow-command", loader, "--", ...through);
    assert.equal(done.code, 127, done.stderr);
    assert.match(done.stderr, /failed to map segment/);
  });

  test("machine code of a project is loaded from where --allow-library says, and from nowhere else", () => {
    const addon = join(ROOT, "build/attack.node");
    for (const name of ["native", "other", "node_modules/addon"]) {
      mkdirSync(join(place.project, name), { recursive: true });
      copyFileSync(addon, join(place.project, name, "attack.node"));
    }
    const load = (name: string) =>
      `try { require(${JSON.stringify(join(place.project, name, "attack.node"))}); console.log("loaded") } catch (e) { console.log(e.code) }`;
    assert.equal(outside(place, load("native")), "loaded");
    const flags = ["--profile", "node"];
    assert.equal(code(load("native"), ...flags), "ERR_DLOPEN_FAILED");
    assert.equal(code(load("node_modules/addon"), ...flags), "loaded");
    flags.push("--allow-library", "./native");
    assert.equal(code(load("native"), ...flags), "loaded");
    assert.equal(code(load("other"), ...flags), "ERR_DLOPEN_FAILED");
    // It gives no right to read, and what isn't there is no code.
    assert.equal(code(load("native"), "--allow-library", "native"), "MODULE_NOT_FOUND");
    assert.equal(code(load("native"), "--read", "native", "--allow-library", "native/"), "loaded");
    const saved = run(...flags, "--save-profile", "with-native", "--", "node", "-e", "0");
    assert.equal(saved.code, 0, saved.stderr);
    assert.equal(code(load("native"), "--profile", "with-native"), "loaded");
  });

  test("Python loads its extension modules, and libraries that these name", (t) => {
    const python = "/usr/bin/python3";
    if (!existsSync(python)) return t.skip("python3 is missing");
    const text = "import ssl, ctypes, json, hashlib; print(ctypes.CDLL('libc.so.6').abs(-3))";
    const done = run("--profile", "python", "--", python, "-c", text);
    assert.deepEqual(done, { code: 0, stdout: "3\n", stderr: "" });
  });

  test("refuses bad input with a line that says what to do", () => {
    place.write("file.txt", "x");
    const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[], 2, /the command is missing/],
      [["--"], 2, /the command is missing/],
      [["--", ""], 2, /the command is empty/],
      [["--bogus", "--", "true"], 2, /unknown option '--bogus'/],
      [["ls", "-la"], 2, /flags of the command itself come after --/],
      [["--", "no-such-command"], 2, /there is no command "no-such-command"/],
      [["--", "/"], 2, /can't be executed/],
      [["--", place.home], 2, /can't be executed/],
      [["--read", "/nonexistent", "--", "true"], 2, /"\/nonexistent" is not there/],
      [["--read", "", "--", "true"], 2, /--read takes a path/],
      [["--read-file", place.home, "--", "true"], 2, /is a folder/],
      [["--allow", "/", "--", "true"], 2, /the whole file system can't be granted/],
      [["--allow", "$NOBODY/x", "--", "true"], 2, /unknown variable/],
      [["--workdir", "/nonexistent", "--", "true"], 2, /working folder/],
      [["--memory", "lots", "--", "true"], 2, /--memory takes a size/],
      [["--max-processes", "0", "--", "true"], 2, /--max-processes takes/],
      [["--max-open-files", "few", "--", "true"], 2, /--max-open-files takes/],
      [["--max-file-size", "0", "--", "true"], 2, /--max-file-size takes a size/],
      [["--listen-port", "70000", "--", "true"], 2, /--listen-port takes a port/],
      [["--listen-port", "1024", "--listen-port", "1025", "--", "true"], 2, /only one port/],
      [["--allow-domain", "*.example.com", "--", "true"], 2, /--allow-domain takes a host/],
      [["--allow-domain", "1.2.3.4", "--", "true"], 2, /--allow-domain takes a host/],
      [["--env", "A-B", "--", "true"], 2, /--env takes/],
      [["--credential", "nosuch", "--", "true"], 2, /there is no service "nosuch"/],
      [["--credential", "anthropic", "--", "true"], 2, /the vault is empty/],
      [
        ["--env-credential", "what_is_this", "--", "true"],
        2,
        /no service is known whose credential is in WHAT_IS_THIS/,
      ],
      [["--profile", "nosuch", "--", "true"], 2, /there is no profile "nosuch"/],
      [["--profile", "..", "--", "true"], 2, /can't be a profile's name/],
      [["--profile", "../../etc/passwd", "--", "true"], 2, /there is no such profile|not/],
      [["--save-profile", "a/b", "--", "true"], 2, /--save-profile takes a name/],
      [["--write", "data", "--read", "data/x", "--", "true"], 2, /is not there/],
    ];
    for (const [args, exit, message] of wrong) {
      const done = run(...args);
      assert.match(done.stderr, message, args.join(" "));
      assert.deepEqual([done.code, done.stdout], [exit, ""], args.join(" "));
    }
  });

  test("--dry-run says what would be allowed, and makes and runs nothing", () => {
    place.profile("making", { filesystem: { create: ["$HOME/made"] } });
    const done = run(
      "--profile",
      "making",
      "--allow-domain",
      "a.example.com",
      "--dry-run",
      "--json",
      "--",
      "node",
      "-v",
    );
    const report = JSON.parse(done.stdout) as {
      made: string[];
      network: { name: string; by: string }[];
      programs: { path: string }[];
    };
    assert.deepEqual(report.made, [join(place.home, "made")]);
    assert.deepEqual(
      report.network.map(({ name, by }) => [name, by]),
      [["a.example.com", "flag --allow-domain"]],
    );
    assert.ok(report.programs.some(({ path }) => path === process.execPath));
    assert.equal(place.has("made"), false);
    assert.equal(run("--profile", "making", "--", "true").code, 0);
    assert.equal(statSync(join(place.home, "made")).mode & 0o777, 0o700);
  });

  test("--save-profile keeps the flags, and doesn't write over a profile", () => {
    place.write("kept/file", "kept");
    const flags = ["--profile", "node", "--read", "../kept", "--env", "CANARY_VARIABLE"];
    assert.equal(run(...flags, "--save-profile", "mine", "--", "true").code, 0);
    assert.equal(code(READ(join(place.home, "kept/file")), "--profile", "mine"), "kept");
    assert.match(code("console.log(process.env.CANARY_VARIABLE)", "--profile", "mine"), /canary/);
    const again = run(...flags, "--save-profile", "mine", "--", "true");
    assert.deepEqual([again.code, /is there already/.test(again.stderr)], [2, true]);
  });

  test("explains at the end what the command's own words name, and the flag that would show it", () => {
    const file = place.write("words/named.txt", "named");
    const flags = ["--profile", "shell"];
    const done = run(...flags, "--", "cat", file);
    assert.equal(done.code, 1);
    assert.match(
      done.stderr,
      /seawall: the wall refused\n {2}read .*named\.txt: no rule lets it be read/,
    );
    const [, flag = "", path = ""] = /allowed by: (--read) (.*)/.exec(done.stderr) ?? [];
    assert.equal(run(...flags, flag, path, "--", "cat", file).stdout, "named");
    // What isn't there outside either was not the wall's doing.
    assert.doesNotMatch(run(...flags, "--", "cat", `${file}.none`).stderr, /the wall refused/);
  });

  test(
    "--explain tells each file and program that was asked for in vain",
    { skip: lacking("strace", ["-V"]) },
    () => {
      const file = place.write("words/quiet.txt", "quiet");
      const text = `${READ(file)}; try { require("child_process").execFileSync("/usr/bin/ls") } catch {}`;
      const done = run("--explain", "--", "node", "-e", text);
      assert.equal(done.stdout, "ENOENT\n");
      assert.match(done.stderr, /read .*quiet\.txt: no rule/);
      assert.match(done.stderr, /exec \/usr\/bin\/ls: no rule lets it be executed/);
      place.profile("silent", { filesystem: { suppress_save_prompt: ["$HOME/words"] } });
      assert.doesNotMatch(
        run("--profile", "silent", "--explain", "--", "node", "-e", text).stderr,
        /quiet/,
      );
    },
  );

  test("forwards signals to the command, which decides what comes of them", async () => {
    const text = `process.on("SIGTERM", () => { console.log("asked"); process.exit(5) }); setInterval(() => 0, 1000); console.log("up")`;
    const [program = "", ...words] = place.words(["run", "--", "node", "-e", text]);
    const child = spawn(program, words, {
      cwd: place.project,
      env: place.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.on("data", (data: Buffer) => {
      out += String(data);
      if (out === "up\n") child.kill("SIGTERM");
    });
    const [exit] = (await once(child, "close")) as [number];
    assert.deepEqual([exit, out], [5, "up\nasked\n"]);
  });

  test("compiles a policy once: the same from the store, whatever the arguments", () => {
    const folder = join(place.root, "state/policies");
    assert.equal(run("--", "true", "a").code, 0);
    const before = statSync(folder).mtimeMs;
    const names = spawnSync("ls", [folder], { encoding: "utf8" }).stdout;
    assert.equal(run("--", "true", "b").code, 0);
    assert.equal(spawnSync("ls", [folder], { encoding: "utf8" }).stdout, names);
    assert.ok(before > 0);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  describe("with a network", () => {
    test("a credential is injected outside; inside there is a phantom", async (t) => {
      const seen: string[] = [];
      const server = createHttp((request, response) => {
        seen.push(request.headers.authorization ?? "none");
        response.end(`said ${request.headers.authorization}`);
      }).listen(0, "127.0.0.1");
      t.after(() => server.close());
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const secret = `real-secret-${Math.random()}-of-the-owner`;
      assert.equal(place.call(["secret", "set", "svc_key"], secret).code, 0);
      place.profile("svc", {
        extends: "node",
        network: {
          credentials: ["svc"],
          custom_credentials: {
            svc: {
              upstream: `http://127.0.0.1:${port}`,
              credential_key: "svc_key",
              env_var: "SVC_KEY",
              endpoint_rules: [{ method: "GET", path: "/ok" }],
            },
          },
        },
      });
      const text = `(async () => {
        const call = async (path, key) => { const r = await fetch("http://127.0.0.1:${port}" + path, { headers: { authorization: "Bearer " + key } }); return r.status + " " + await r.text(); };
        console.log(process.env.SVC_KEY);
        console.log(await call("/ok", process.env.SVC_KEY));
        console.log((await call("/other", process.env.SVC_KEY)).slice(0, 3));
        console.log(await fetch("https://elsewhere.example.com").catch((e) => e.cause.code));
      })()`;
      // Beside spawnSync the server could not answer.
      const [program = "", ...words] = place.words([
        "run",
        "--profile",
        "svc",
        "--",
        "node",
        "-e",
        text,
      ]);
      const child = spawn(program, words, {
        cwd: place.project,
        env: place.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [out, err] = ["", ""];
      child.stdout.on("data", (data: Buffer) => (out += String(data)));
      child.stderr.on("data", (data: Buffer) => (err += String(data)));
      const [exit] = (await once(child, "close")) as [number];
      assert.equal(exit, 0, err);
      const [phantom = "", reply, other, name] = out.split("\n");
      assert.match(phantom, /^phantom-/);
      assert.deepEqual(seen, [`Bearer ${secret}`]);
      assert.deepEqual([reply, other, name], [`200 said Bearer ${phantom}`, "403", "ENOTFOUND"]);
      assert.match(err, /connect elsewhere\.example\.com: no rule grants this host/);
      assert.match(err, /allowed by: --allow-domain elsewhere\.example\.com/);
      assert.match(err, /refused by the broker \(not-allowed\)/);
      assert.ok(!`${out}${err}`.includes(secret));
      const blocked = place.call([
        "run",
        "--profile",
        "svc",
        "--block-net",
        "--",
        "node",
        "-e",
        `fetch("http://127.0.0.1:${port}/ok").catch((e) => console.log(e.cause.code))`,
      ]);
      assert.match(blocked.stdout, /ECONNREFUSED|EACCES/);
      assert.equal(seen.length, 1);
    });

    test("a declaration in the working folder says nothing about credentials", () => {
      writeFileSync(
        join(place.project, "seawall.json5"),
        `{ seawall: 1, secrets: {}, services: { planted: { hosts: ["https://evil.example.com"], credential: [{ header: "X" }], allow: ["* /**"] } }, bots: {} }`,
      );
      const done = place.call(["run", "--credential", "planted", "--", "true"]);
      assert.match(done.stderr, /there is no service "planted"/);
      assert.equal(done.code, 2);
    });

    test("--listen-port leads from the host to the command", async () => {
      const port = await freePort();
      const text = `require("http").createServer((q, r) => { r.end("inside"); }).listen(${port}, "127.0.0.1", () => console.log("up")); process.on("SIGTERM", () => process.exit(0))`;
      const [program = "", ...words] = place.words([
        "run",
        "--listen-port",
        String(port),
        "--",
        "node",
        "-e",
        text,
      ]);
      const child = spawn(program, words, {
        cwd: place.project,
        env: place.env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "inside");
      child.kill("SIGTERM");
      const [exit] = (await once(child, "close")) as [number];
      assert.equal(exit, 0);
      await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    });
  });
});

function findLoader(): string | undefined {
  return ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].find((path) =>
    existsSync(path),
  );
}
