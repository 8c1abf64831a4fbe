import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { checkShape } from "../../src/declaration/index.ts";
import type { describedFiles } from "../../src/host/described/describedSystem.ts";
import { copyProgram } from "../../src/host/storeProgram.ts";
import { ensureOpenClaw, readPin } from "../../src/openclaw/index.ts";
import { satisfiesNodeRange } from "../../src/openclaw/nodeRange.ts";
import { BROWSER_PROGRAM, findChromium } from "../../src/services/index.ts";
import {
  BRIDGE_USER,
  botUser,
  brokerUser,
  browserUser,
  gateUser,
  hasBridge,
  hasBrowser,
  launchdTarget,
  nixModule,
  nixValue,
} from "../../src/targets/index.ts";
import { posixPattern } from "../../src/targets/nix/posixPattern.ts";
import { writeArchive } from "../support/archive.ts";
import { lacking } from "../support/lacking.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";
import { testStore } from "../support/testStore.ts";
import { evaluate, FOLDER, inputsHash, namesIn, ROOT } from "./evaluate.ts";
import { generated } from "./generated.ts";
import { optionsPage } from "./optionsPage.ts";
import { facts, planOf, renderedFor, type Facts } from "./rendered.ts";
import { lockHash, TREE_FILE } from "./seawallTree.ts";

const skip = lacking("nix-instantiate", ["--version"]);
const needsAnalyze = lacking("systemd-analyze", ["--version"]);
const REWRITE = process.env["SEAWALL_GOLDENS"] === "write" && process.env["CI"] === undefined;

for (const [name, text] of generated())
  test(`nix/generated/${name} is what its source says`, () => {
    const file = join(ROOT, "nix/generated", name);
    assert.equal(readFileSync(file, "utf8"), text, "write it anew with: ./dev nix generate");
  });

test("docs/nixos-options.md is what the modules declare", { skip }, () => {
  const page = readFileSync(join(ROOT, "docs/nixos-options.md"), "utf8");
  assert.equal(page, optionsPage(), "write it anew with: ./dev nix generate");
});

test("the hashes of Seawall's own packages are of the lock as it is", () => {
  const { lock } = JSON.parse(readFileSync(TREE_FILE, "utf8")) as { readonly lock: string };
  assert.equal(lock, lockHash(), "make them anew with: ./dev nix tree");
});

describe("every .nix file", () => {
  const files = globSync(["flake.nix", "nix/**/*.nix", "test/nix/**/*.nix"], { cwd: ROOT });

  test("parses", { skip }, () => {
    for (const file of files) {
      const { status, stderr } = spawnSync("nix-instantiate", ["--parse", join(ROOT, file)], {
        encoding: "utf8",
      });
      assert.equal(status, 0, `${file}: ${stderr}`);
    }
  });

  test("is formatted: two spaces a step, no tab, no blank at an end, one newline at the last", () => {
    for (const file of files) {
      const text = readFileSync(join(ROOT, file), "utf8");
      assert.match(text, /[^\n]\n$/, file);
      for (const [index, line] of text.split("\n").entries()) {
        const where = `${file}:${index + 1}`;
        assert.doesNotMatch(line, /\t|\s$/, where);
        assert.equal((/^ */.exec(line)?.[0].length ?? 0) % 2, 0, where);
      }
    }
  });
});

describe("configurations", { skip }, () => {
  for (const name of namesIn("configurations")) {
    const file = join(FOLDER, "configurations", `${name}.nix`);

    test(`${name}: our library makes of it what nixpkgs makes`, () => {
      const golden = JSON.parse(readFileSync(join(FOLDER, "goldens", `${name}.json`), "utf8")) as {
        readonly inputs: string;
        readonly facts: unknown;
      };
      assert.equal(
        golden.inputs,
        inputsHash(),
        "stale; write it anew: ./dev nix goldens NIXPKGS=…",
      );
      const ours = evaluate(facts(file));
      assert.ok(ours.ok, ours.error);
      assert.deepEqual(JSON.parse(ours.out), golden.facts);
    });

    test(`${name}: its units are the golden ones, and systemd takes them`, (t) => {
      const { failed, declaration, machine, users } = JSON.parse(
        evaluate(facts(file)).out,
      ) as Facts;
      assert.deepEqual(failed, []);
      const plan = planOf(declaration);
      assert.deepEqual(
        Object.keys(users).toSorted(),
        [
          ...plan.bots.flatMap((bot) => [botUser(bot.name), brokerUser(bot.name)]),
          ...plan.bots
            .filter((bot) => hasBrowser(bot))
            .flatMap((bot) => [gateUser(bot.name), browserUser(bot.name)]),
          ...(plan.bots.some((bot) => hasBridge(bot)) ? [BRIDGE_USER] : []),
        ].toSorted(),
      );
      const rendered = renderedFor(plan, machine);
      const golden = join(ROOT, "test/goldens/nixos", `${name}.txt`);
      const made = writeArchive(
        new Map(
          rendered
            .filter(({ path }) => path.startsWith("units/") || path === "tmpfiles.conf")
            .map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]),
        ),
      );
      if (REWRITE) {
        mkdirSync(dirname(golden), { recursive: true });
        writeFileSync(golden, made);
      } else assert.equal(made, readFileSync(golden, "utf8"));
      if (needsAnalyze === false) analyze(temporaryFolder(t), rendered);
      else t.diagnostic(needsAnalyze);
    });
  }
});

describe("refused configurations", { skip }, () => {
  for (const name of namesIn("refused"))
    test(name, () => {
      const file = join(FOLDER, "refused", `${name}.nix`);
      const wanted = /^# refused: (.+)\n/.exec(readFileSync(file, "utf8"))?.[1] ?? "";
      assert.notEqual(wanted, "");
      const failed = evaluate(`(${facts(file)}).failed`);
      const said = failed.ok ? (JSON.parse(failed.out) as string[]).join("\n") : failed.error;
      // What assertions don't say is said where the declaration is asked for.
      const all = said.includes(wanted) ? said : evaluate(`(${facts(file)}).declaration`).error;
      assert.ok(all.includes(wanted), `${said}\n${all}`);
      // A secret that was put there is never repeated.
      assert.doesNotMatch(said, /AAaaaaaaaa|hunter2/);
    });

  test("control: the same without the fault is taken", () => {
    const file = join(FOLDER, "configurations/two-lines.nix");
    assert.deepEqual(JSON.parse(evaluate(`(${facts(file)}).failed`).out), []);
  });
});

describe("what Nix computes as TypeScript does", { skip }, () => {
  test("users of bots", () => {
    const bots = ["x", "a".repeat(24), `${"a".repeat(22)}-b`, "ends-with-1"];
    const made = evaluate(
      `let d = import ${ROOT}/nix/modules/declaration.nix { lib = import ${FOLDER}/lib.nix; };
       in map (bot: [ (d.botUser bot) (d.brokerUser bot) (d.gateUser bot) (d.browserUser bot) ]) ${nixValue(bots)}`,
    );
    assert.deepEqual(
      JSON.parse(made.out),
      bots.map((bot) => [botUser(bot), brokerUser(bot), gateUser(bot), browserUser(bot)]),
    );
  });

  test("whether a Node satisfies a range", () => {
    const versions = ["24.15.9", "24.16.0", "24.21.0", "25.0.0", "26.0.9", "26.1.0", "27.0.0"];
    const ranges = [">=24.16.0 <25 || >=26.1.0", ">=24.16.0", "<25"];
    const made = evaluate(
      `let satisfies = import ${ROOT}/nix/packages/node-range.nix { lib = import ${FOLDER}/lib.nix; };
       in map (range: map (version: satisfies version range) ${nixValue(versions)}) ${nixValue(ranges)}`,
    );
    assert.deepEqual(
      JSON.parse(made.out),
      ranges.map((range) => versions.map((version) => satisfiesNodeRange(version, range))),
    );
  });

  test("every pattern of the schema that Nix has, on texts that fit and that don't", () => {
    const schema = readFileSync(join(ROOT, "schema/seawall.schema.json"), "utf8");
    const patterns = [
      ...new Set(
        [...schema.matchAll(/"pattern": ("(?:[^"\\]|\\.)*")/g)].map(
          ([, text = '""']) => JSON.parse(text) as string,
        ),
      ),
    ];
    const both = patterns.flatMap((source) => {
      const posix = posixPattern(source);
      return posix === undefined ? [] : [{ js: new RegExp(source, "u"), posix }];
    });
    assert.ok(both.length > 20);
    const texts = TEXTS;
    const made = evaluate(
      `map (pattern: map (text: builtins.match pattern text != null) ${nixValue(texts)}) ${nixValue(both.map(({ posix }) => posix))}`,
    );
    assert.ok(made.ok, made.error);
    assert.deepEqual(
      JSON.parse(made.out),
      both.map(({ js }) => texts.map((text) => js.test(text))),
    );
  });

  test("nixValue() is read back by Nix as what it was", () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
        fc.constantFrom("${x}", "\\${x}", '"', "\\", "$", "$${x}", "''", "\n\t\r"),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(
          fc.string({ maxLength: 8 }).filter((text) => !text.includes("\0")),
          tie("any"),
          { maxKeys: 4 },
        ),
      ),
    })).any;
    const values = fc.sample(value, { numRuns: 300, seed: 7 });
    const { ok, out, error } = evaluate(nixValue(values));
    assert.ok(ok, error);
    assert.deepEqual(JSON.parse(out), JSON.parse(JSON.stringify(values)));
  });
});

test("nixModule() is a module that says the declaration again", { skip }, (t) => {
  const { declaration } = checkShape({
    seawall: 1,
    secrets: { anthropic: { file: "/run/secrets/anthropic" } },
    bots: {
      one: {
        openclaw: "2026.9.6",
        model: "anthropic/claude-sonnet-4-6",
        grants: { anthropic: { secret: "anthropic", limits: { dollarsPerDay: 0.5 } } },
        exec: { allow: ["grep"] },
        expose: { domain: "bots.example.com" },
        settings: { messages: { responsePrefix: "${x}" } },
      },
    },
  });
  assert.ok(declaration !== undefined);
  const [file] = nixModule(declaration);
  const path = join(temporaryFolder(t), "seawall.nix");
  writeFileSync(path, file?.bytes ?? "");
  const { ok, out, error } = evaluate(facts(path));
  assert.ok(ok, error);
  const said = checkShape((JSON.parse(out) as Facts).declaration);
  assert.deepEqual(said.faults, []);
  assert.deepEqual(said.declaration, declaration);
  assert.deepEqual((JSON.parse(out) as Facts).failed, []);
});

test(
  "nixModule() takes the folders of agents from beside it, and leaves out what is the machine's by flake",
  { skip },
  (t) => {
    const folder = temporaryFolder(t);
    const { declaration, faults } = checkShape({
      seawall: 1,
      bots: {
        one: {
          openclaw: "2026.9.6",
          model: "ollama/x",
          grants: { ollama: {} },
          agents: {
            repositories: { path: "/srv/git" },
            template: "./template",
            shared: "a ${place}",
            skills: "/srv/skills",
          },
        },
      },
      autoUpdate: { calendar: "weekly" },
    });
    assert.deepEqual(faults, []);
    assert.ok(declaration !== undefined);
    const [file] = nixModule(declaration);
    const path = join(folder, "seawall.nix");
    writeFileSync(path, file?.bytes ?? "");
    for (const name of ["template", "a ${place}"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "USER.md"), "you\n");
    }
    const { ok, out, error } = evaluate(`(import ${path} { pkgs = { }; }).services.seawall`);
    assert.ok(ok, error);
    const { bots, autoUpdate } = JSON.parse(out) as {
      readonly bots: { readonly one: { readonly agents: Readonly<Record<string, string>> } };
      readonly autoUpdate?: unknown;
    };
    assert.equal(autoUpdate, undefined);
    const { template = "", shared = "", skills } = bots.one.agents;
    // Nix prints a path as its place in the store.
    assert.match(template, /^\/nix\/store\/[a-z0-9]{32}-template$/);
    assert.equal(skills, "/srv/skills");
    assert.match(shared, /^\/nix\/store\/[a-z0-9]{32}-folder$/);
  },
);

describe("home-manager's module", { skip }, () => {
  interface Home {
    readonly failed: readonly string[];
    readonly packages: readonly string[];
    readonly file: string | null;
    readonly services: Readonly<Record<string, { readonly Service: Record<string, unknown> }>>;
    readonly agents: Readonly<
      Record<string, { readonly enable: boolean; readonly config: object }>
    >;
  }
  const home = (isLinux: boolean, concessions: readonly string[] = []): Home => {
    const said = concessions.map((each) => JSON.stringify(each)).join(" ");
    const { ok, out, error } = evaluate(
      `import ${FOLDER}/home.nix { isLinux = ${isLinux}; concessions = [ ${said} ]; }`,
    );
    assert.ok(ok, error);
    return JSON.parse(out) as Home;
  };

  test("has one service of the user, with a declaration that is right", () => {
    const { failed, packages, file, services } = home(true);
    assert.deepEqual(failed, []);
    assert.deepEqual(packages, ["/nix/store/seawall"]);
    assert.deepEqual(checkShape(JSON.parse(file ?? "")).faults, []);
    const place = "/home/someone/.config/seawall/seawall.json5";
    const up = `/nix/store/seawall/bin/seawall up ${place}`;
    assert.deepEqual(Object.keys(services), ["seawall"]);
    const { ExecStart, ExecReload } = services["seawall"]?.Service ?? {};
    assert.deepEqual([ExecStart, ExecReload], [up, up]);
  });

  test("has one agent on macOS, as seawall build prints it, for bots that concede namespaces", () => {
    const { failed, packages, file, services, agents } = home(false, ["no-user-namespaces"]);
    assert.deepEqual([failed, packages, services], [[], ["/nix/store/seawall"], {}]);
    assert.deepEqual(checkShape(JSON.parse(file ?? "")).faults, []);
    const { enable, config } = agents["seawall"] ?? assert.fail();
    const log = "/home/someone/Library/Logs/seawall.log";
    const [printed] = launchdTarget.render({
      seawall: "/nix/store/seawall/bin/seawall",
      declaration: "/nix/store/seawall.json5",
      log,
    });
    // home-manager gives the label; Nix's programs have their own places.
    const { Label: _, EnvironmentVariables: __, ...ours } = readPlist(printed?.bytes);
    assert.deepEqual([enable, config], [true, ours]);
  });

  test("refuses bots on macOS that want namespaces", () => {
    const { failed } = home(false);
    assert.equal(failed.length, 1);
    assert.match(failed.join(""), /^services\.seawall\.bots\.one\.concessions: macOS has no user/);
  });
});

describe("a real build", { skip }, () => {
  test("renders what OpenClaw takes, and fails for what it doesn't, with the place", async (t) => {
    const folder = temporaryFolder(t);
    const { root: tree } = await ensureOpenClaw(readPin("2026.9.6"), testStore());
    const seawall = join(folder, "seawall");
    mkdirSync(join(seawall, "bin"), { recursive: true });
    // As our package has it, with Chromium where nixpkgs' has it.
    const home = join(seawall, "lib/seawall");
    mkdirSync(home, { recursive: true });
    for (const name of ["build", "node_modules", "package.json", "src"])
      symlinkSync(join(ROOT, name), join(home, name));
    copyProgram(join(home, "browser"), BROWSER_PROGRAM);
    const chromium = findChromium();
    // It fails without where a machine is said to be complete.
    const hasChromium = chromium !== undefined || process.env["CI"] === "true";
    if (!hasChromium) t.diagnostic("chromium is missing");
    // No program may lie in what its wall has to write.
    const browser = mkdtempSync("/var/tmp/seawall-test-");
    t.after(() => rmSync(browser, { recursive: true }));
    mkdirSync(join(browser, "libexec"));
    symlinkSync(dirname(chromium ?? "/nonexistent/x"), join(browser, "libexec/chromium"));
    const program = join(seawall, "bin/seawall");
    writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${ROOT}/src/cli/main.ts "$@"\n`);
    chmodSync(program, 0o755);
    const build = (
      name: string,
      prefix: string,
    ): { status: number | null; stdout: string; stderr: string } => {
      const configuration = join(folder, `${name}.nix`);
      writeFileSync(configuration, botWith(prefix, hasChromium));
      const call = {
        folder: seawall,
        chromium: browser,
        node: dirname(dirname(process.execPath)),
        tree,
        path: `${seawall}/bin:/usr/bin:/bin`,
      };
      return spawnSync(
        "nix-build",
        [
          "--no-out-link",
          "--option",
          "build-users-group",
          "",
          "--option",
          "sandbox",
          "false",
          "--option",
          "substituters",
          "",
          "--expr",
          `import ${FOLDER}/build.nix (${nixValue(call)} // { configuration = ${configuration}; })`,
        ],
        {
          encoding: "utf8",
          env: {
            PATH: process.env["PATH"] ?? "",
            HOME: folder,
            NIX_STORE_DIR: join(folder, "store"),
            NIX_STATE_DIR: join(folder, "state"),
            NIX_LOG_DIR: join(folder, "log"),
            NIX_CONF_DIR: folder,
          },
        },
      );
    };
    const good = build("good", '"Basecamp"');
    assert.equal(good.status, 0, good.stderr);
    const out = good.stdout.trim();
    assert.ok(out.startsWith(join(folder, "store")));
    const units = readdirSync(join(out, "lib/systemd/system"));
    assert.ok(units.includes("seawall-gateway-one.service"), units.join(" "));
    assert.ok(existsSync(join(out, "lib/tmpfiles.d/seawall.conf")));
    // Agents come and go without a build: their file is the machine's, and only its place is known here.
    assert.ok(units.includes("seawall-agents.timer"), units.join(" "));
    const gateway = readFileSync(
      join(out, "lib/systemd/system/seawall-gateway-one.service"),
      "utf8",
    );
    // The granted program and its libraries, and no other of the package it is of.
    assert.match(gateway, /\/usr\/bin\/grep/);
    assert.match(gateway, /\/var\/lib\/seawall\/system\/agents\/one\/live:/);
    assert.doesNotMatch(gateway, /\/usr\/bin\/(?:curl|cat|bash)/);
    if (hasChromium) assertBrowser(out, join(folder, "store"));
    const again = build("good", '"Basecamp"');
    assert.equal(again.stdout.trim(), out);

    const bad = build("bad", "{ no = 1; }");
    assert.notEqual(bad.status, 0);
    assert.match(bad.stderr, /OpenClaw 2026\.9\.6 refuses/);
    assert.match(bad.stderr, /bots\.one\.settings/);
  });
});

/** That the browser is shown what the build found, and fonts that lead nowhere else. */
function assertBrowser(out: string, store: string): void {
  const unit = readFileSync(join(out, "lib/systemd/system/seawall-browser-one@.service"), "utf8");
  const shown = [...unit.matchAll(/^BindReadOnlyPaths=(\S+)/gm)].map(([, path = ""]) => path);
  assert.ok(
    shown.some((path) => path.includes("/libnss3.so")),
    shown.join("\n"),
  );
  assert.ok(!shown.some((path) => path === store || /^\/(?:etc|usr(?:\/lib)?)?$/.test(path)));
  const conf = /^BindReadOnlyPaths=(\S+):\/etc\/fonts\/fonts\.conf$/m.exec(unit)?.[1] ?? "";
  assert.ok(conf.startsWith(store), conf);
  const fonts = spawnSync("fc-list", [":", "file"], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: dirname(store), FONTCONFIG_FILE: conf },
  });
  const files = fonts.stdout.trim().split("\n");
  assert.match(files[0] ?? "", /\.(?:ttf|otf)/, fonts.stderr);
  for (const file of files) assert.ok(file.startsWith(`${dirname(conf)}/fonts/`), file);
  const linked = readdirSync(dirname(conf), { recursive: true, withFileTypes: true });
  assert.deepEqual(
    linked.filter((entry) => entry.isSymbolicLink()),
    [],
  );
}

function botWith(prefix: string, pages: boolean): string {
  return `{ pkgs, ... }: {
    services.seawall.enable = true;
    services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
    services.seawall.bots.one = {
      openclaw = "2026.9.6";
      model = "anthropic/claude-sonnet-4-6";
      grants.anthropic.secret = "anthropic";
      exec.packages = [ pkgs.grep ];
      ${pages ? 'grants.browser-fetch.allowHosts = [ "*.wikipedia.org" ];' : ""}
      agents.repositories.path = "/srv/git";
      settings.messages.responsePrefix = ${prefix};
    };
  }\n`;
}

/** `systemd-analyze` on units, with programs that this machine has. */
function analyze(folder: string, files: ReturnType<typeof describedFiles>): void {
  const units = files.flatMap(({ path, bytes }) => {
    if (!path.startsWith("units/")) return [];
    const file = join(folder, path.slice("units/".length));
    const text = Buffer.from(bytes)
      .toString()
      .replaceAll(/^(Exec(?:Start|StopPost)=)\/nix\/store\/\S+/gm, "$1/usr/bin/env");
    writeFileSync(file, text);
    return [file];
  });
  const verify = (which: readonly string[]): string =>
    spawnSync("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", ...which], {
      encoding: "utf8",
    })
      .stderr.split("\n")
      .filter((line) => line.includes("seawall") && !/RestartSteps|RestartMaxDelaySec/.test(line))
      .join("\n");
  assert.equal(verify(units), "");
  for (const unit of units.filter((path) => path.endsWith(".service"))) {
    const limit = exposureOf(unit);
    const { status, stdout } = spawnSync(
      "systemd-analyze",
      ["security", "--offline=yes", "--no-pager", `--threshold=${limit}`, unit],
      { encoding: "utf8" },
    );
    assert.equal(status, 0, `${unit}: ${stdout.split("\n").slice(-3).join(" ")}`);
  }
  // Control: it speaks when something is wrong.
  const gateway = units.find((path) => path.includes("seawall-gateway-")) ?? "";
  writeFileSync(gateway, `${readFileSync(gateway, "utf8")}NoSuchThing=yes\n`);
  assert.match(verify([gateway]), /NoSuchThing/);
}

/** In tenths, as docs/systemd.md has it; root's command line is what it is. */
function exposureOf(unit: string): number {
  if (unit.includes("-broker-")) return 12;
  if (unit.endsWith("/seawall-agents.service")) return 90;
  return unit.includes("seawall-gateway-") ? 5 : 15;
}

const TEXTS: readonly string[] = [
  "",
  "a",
  "A",
  "a-b",
  "-a",
  "a.b-c_d",
  "a/b",
  "anthropic/claude-sonnet-4-6",
  "2026.9.6",
  "2026.9.6-beta.1",
  "GET /v1/**",
  "GET api.example.com/v1/*",
  "POST /bot{secret}/*",
  "get /x",
  "64M",
  "064M",
  "5",
  "*.example.com",
  "example.com",
  "1.2.3.4",
  "@openclaw/discord",
  "http://proxy.example.com:3128",
  "socks5://[::1]:1080",
  "/a/~0b/~1",
  "/a~2",
  "HOME",
  "1HOME",
  "X-Api-Key",
  "a b",
  "[::1]:8080",
  "wiki.lan:8080",
  "^",
  "a]b",
  "x".repeat(300),
  "ä",
  "a\nb",
];

/** A property list, by Python's own reader. */
function readPlist(bytes: Uint8Array | undefined): Record<string, unknown> {
  const script =
    "import sys, json, plistlib; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
  const run = spawnSync("/usr/bin/python3", ["-c", script], { encoding: "utf8", input: bytes });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}
