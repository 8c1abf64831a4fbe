import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { runSeawall } from "./support/runSeawall.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

const ROOT = resolve(import.meta.dirname, "..");

test("docs/catalogue.md is what seawall service page prints", async (t) => {
  const { stdout, code } = await runSeawall(["service", "page"], { state: temporaryFolder(t) });
  assert.equal(code, 0);
  assert.equal(stdout, readFileSync(join(ROOT, "docs/catalogue.md"), "utf8"));
});

test("seawall service show says of every service what it allows, and how it is granted", async (t) => {
  const folder = temporaryFolder(t);
  const { stdout } = await runSeawall(["service", "show", "sonarr"], { state: folder });
  assert.match(stdout, /Where: where the grant's url says\./);
  assert.match(stdout, /Key: in the header x-api-key\./);
  assert.match(stdout, /^ {2}read \/api\/v3\/series$/m);
  assert.match(stdout, /Command sonarr inside, where exec\.allow names it:/);
  const unknown = await runSeawall(["service", "show", "nothing"], { state: folder });
  assert.equal(unknown.code, 2);
});

test("seawall service shows what the declaration here has of its own, and what its bots' grants make of services", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "seawall.json5");
  const run = (...words: string[]) =>
    runSeawall(["service", ...words], { state: join(folder, "state"), cwd: folder });
  const bot = (port: number, grants: object, exec: readonly string[]): object => ({
    openclaw: "2026.9.6",
    model: "anthropic/claude-sonnet-4-6",
    port,
    grants: { anthropic: { secret: "s" }, ...grants },
    exec: { allow: exec },
  });
  const declaration = {
    seawall: 1,
    secrets: { s: { vault: "s" } },
    services: {
      prowlarr: {
        about: "indexers",
        hosts: ["http://10.0.0.5:8989"],
        credential: [{ header: "X-Api-Key" }],
        allow: ["GET /api/v3/**"],
        headers: { "X-Version": { about: "of the answer", usual: "3" } },
      },
    },
    bots: {
      basecamp: bot(
        18789,
        {
          prowlarr: {
            secret: "s",
            allow: ["...", "PUT /api/v3/tag/*"],
            ask: ["POST /api/v3/command"],
            deny: ["GET /api/v3/config/**"],
            limits: { callsPerMinute: 5 },
          },
        },
        ["prowlarr-api"],
      ),
      herald: bot(18790, { prowlarr: { secret: "s", allow: ["GET /api/v3/tag"] } }, []),
    },
  };
  writeFileSync(file, JSON.stringify(declaration));
  const { stdout, code } = await run("show", "prowlarr");
  assert.equal(code, 0);
  assert.match(stdout, /^indexers \("prowlarr"\)\n\nWhere: http:\/\/10\.0\.0\.5:8989\.\n/);
  assert.match(stdout, /^Command prowlarr-api inside, where exec\.allow names it:$/m);
  assert.match(stdout, /^ {2}X-Version +of the answer \(3 unless given\)$/m);
  const [, basecamp = "", herald = ""] = stdout.split(/^Bot "/m);
  assert.equal(
    basecamp,
    [
      'basecamp" is granted it, with the secret "s":',
      "  what it allows, and besides:",
      "    write /api/v3/tag/*",
      "  its owner is asked each time:",
      "    send to /api/v3/command",
      "  never:",
      "    read /api/v3/config/**",
      "  at most: callsPerMinute 5",
      "  with its command prowlarr-api",
      "\n",
    ].join("\n"),
  );
  assert.match(
    herald,
    /of all calls, only these:\n {4}read \/api\/v3\/tag\n {2}without its command/,
  );
  assert.match((await run("show", "github")).stdout, /No bot of .*seawall\.json5 is granted it\./);
  assert.match((await run("list")).stdout, /^prowlarr +indexers$/m);
  const json = JSON.parse((await run("show", "prowlarr", "--json")).stdout) as {
    name: string;
    bots: Record<string, { secret: string }>;
  };
  assert.deepEqual([json.name, Object.keys(json.bots)], ["prowlarr", ["basecamp", "herald"]]);

  // With faults in it nothing is said of it, but the catalogue can be looked at.
  writeFileSync(file, JSON.stringify({ ...declaration, surplus: 1 }));
  const faulty = await run("show", "github");
  assert.equal(faulty.code, 0, faulty.stderr);
  assert.match(faulty.stderr, /has faults/);
  assert.doesNotMatch(faulty.stdout, /No bot of/);
  assert.equal((await run("show", "prowlarr")).code, 3);
  assert.equal((await run("show", "github", "--file", file)).code, 3);
  assert.equal((await run("show", "github", "--file", join(folder, "none"))).code, 2);
});

/** A copy of the sources, since this changes them. */
function copyOfSources(t: Parameters<typeof temporaryFolder>[0]): string {
  const folder = temporaryFolder(t);
  for (const name of ["src", "package.json", "docs", "pins", "test/support", ".prettierrc.json"]) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  for (const name of ["node_modules", "build"]) symlinkSync(join(ROOT, name), join(folder, name));
  return folder;
}

function run(folder: string, args: readonly string[]): Promise<{ code: number; text: string }> {
  return new Promise((done) => {
    // Of a test runner's own environment a test that is run inside must know nothing.
    const { NODE_TEST_CONTEXT: _context, ...environment } = process.env;
    const env = { ...environment, SEAWALL_STATE: join(folder, "state") };
    execFile(process.execPath, args, { cwd: folder, env }, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code ?? 1), text: out + err });
    });
  });
}

const MAIN = "src/cli/main.ts";
const SERVICES: readonly (readonly [name: string, ...flags: string[]])[] = [
  [
    "sea-weather",
    "--url",
    "https://api.weather.example",
    "--key",
    "header X-Weather-Key",
    "--call",
    "GET /v1/**",
  ],
  ["plain-bearer", "--url", "https://bearer.example", "--key", "bearer", "--call", "POST /things"],
  ["own-basic", "--url", "", "--key", "basic", "--call", "GET /a/*", "--call", "PUT /a/*"],
  ["in-query", "--url", "https://query.example", "--key", "query token", "--call", "GET /q"],
  ["no-key", "--url", "http://10.1.2.3:9000", "--key", "none", "--call", "GET /**"],
];

test("seawall service new makes services that work at once, each with a test that shows it", async (t) => {
  const folder = copyOfSources(t);
  const files: string[] = [];
  for (const [name, ...flags] of SERVICES) {
    const made = await run(folder, [MAIN, "service", "new", name, ...flags]);
    assert.equal(made.code, 0, made.text);
    const file = join(
      "src/catalogue",
      name.replaceAll(/-(.)/g, (_, c: string) => c.toUpperCase()),
    );
    files.push(`${file}.ts`, `${file}.test.ts`);
  }
  const shown = await run(folder, [MAIN, "service", "show", "sea-weather"]);
  assert.equal(shown.code, 0, shown.text);
  assert.match(shown.text, /Command sea-weather-api inside, where exec\.allow names it:/);
  const tests = files.filter((file) => file.endsWith(".test.ts"));
  const tried = await run(folder, ["--test", ...tests]);
  assert.equal(tried.code, 0, tried.text);
  // They are as the others are: in form, and on the page.
  const prettier = join(ROOT, "node_modules/prettier/bin/prettier.cjs");
  const checked = await run(folder, [
    prettier,
    "--check",
    ...files,
    "src/catalogue/index.ts",
    "docs/catalogue.md",
  ]);
  assert.equal(checked.code, 0, checked.text);
  assert.match(readFileSync(join(folder, "docs/catalogue.md"), "utf8"), /^## sea-weather$/m);
  // The control: the same test finds a service that puts the key where nobody looks for it.
  const wrong = await run(folder, ["-e", BREAK]);
  assert.equal(wrong.code, 0, wrong.text);
  const failed = await run(folder, ["--test", "src/catalogue/plainBearer.test.ts"]);
  assert.notEqual(failed.code, 0);
});

const BREAK = `const fs = require("fs"); const file = "src/catalogue/plainBearer.ts";
fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace('allow: ["POST /things"]', 'allow: ["POST /things", "DELETE /**"]'));`;

const WRONG: readonly (readonly [
  what: string,
  message: RegExp,
  name: string,
  ...flags: string[],
])[] = [
  ["a name that is none", /lower-case/, "Sea Weather"],
  ["one that is there", /already/, "sonarr"],
  ["no address", /--url/, "x-service", "--key", "bearer", "--call", "GET /"],
  ["no key", /--key/, "x-service", "--url", "https://x.example", "--call", "GET /"],
  ["no call", /--call/, "x-service", "--url", "https://x.example", "--key", "bearer"],
  [
    "a key in a place that is none",
    /where the key goes/,
    "x-service",
    "--url",
    "https://x.example",
    "--key",
    "pocket",
    "--call",
    "GET /",
  ],
  [
    "plain HTTP to a public name",
    /plain HTTP/,
    "x-service",
    "--url",
    "http://x.example",
    "--key",
    "bearer",
    "--call",
    "GET /",
  ],
  [
    "a call that is none",
    /rule/,
    "x-service",
    "--url",
    "https://x.example",
    "--key",
    "bearer",
    "--call",
    "look around",
  ],
  [
    "an address with a path",
    /origin/,
    "x-service",
    "--url",
    "https://x.example/api",
    "--key",
    "bearer",
    "--call",
    "GET /",
  ],
];

test("seawall service new says what is wrong, and writes nothing then", async (t) => {
  for (const [what, message, name, ...flags] of WRONG) {
    const end = await runSeawall(["service", "new", name, "--print", ...flags], {
      state: temporaryFolder(t),
    });
    assert.equal(end.code, 2, what);
    assert.match(end.stderr, message, what);
  }
  assert.ok(!existsSync(join(ROOT, "src/catalogue/xService.ts")));
});
