import { generateX25519Identity, identityToRecipient } from "age-encryption";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { statePaths, type StatePaths } from "../host/index.ts";
import { createVault, openWritableStore, type Vault } from "../secrets/index.ts";
import {
  adopt,
  isHalfDone,
  MigrationError,
  openInstallation,
  planAdoption,
  undoAdoption,
  type Adoption,
} from "./index.ts";
import { makeInstallation, type MadeInstallation } from "./testing/makeInstallation.ts";

const root = mkdtempSync(join(tmpdir(), "seawall-adopt-"));
after(() => rmSync(root, { recursive: true, force: true }));
chmodSync(root, 0o711);
let count = 0;
const MODEL = { defaults: { model: { primary: "anthropic/claude-sonnet-4-6" } } };
const VAULT = { store: "vault" } as const;

interface Place {
  readonly made: MadeInstallation;
  readonly state: StatePaths;
  readonly vault: Vault;
  readonly file: string;
}

async function place(more: object = {}): Promise<Place> {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  chmodSync(folder, 0o711);
  const state = statePaths(
    {
      SEAWALL_STATE: join(folder, "state"),
      SEAWALL_STORE: process.env["SEAWALL_TEST_STORE"] ?? join(root, "store"),
    },
    process.getuid?.() ?? 0,
  );
  const vault = await createVault(state.vault);
  mkdirSync(join(folder, ".openclaw"), { mode: 0o700 });
  return {
    made: makeInstallation(join(folder, ".openclaw"), more),
    state,
    vault,
    file: join(folder, "seawall.json5"),
  };
}

async function plan({ made, state, vault, file }: Place): Promise<Adoption> {
  const installation = await openInstallation(made.folder, "/nonexistent", state);
  return planAdoption({ installation, bot: "mine", file, state, store: vault });
}

/** Every file below a folder, byte for byte, with its mode. */
function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    globSync("**", { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [path, `${statSync(path).mode} ${readFileSync(path, "latin1")}`]),
  );
}

function holds(folder: string, values: readonly string[]): string[] {
  return Object.entries(snapshot(folder)).flatMap(([path, text]) =>
    values.some((value) => text.includes(value)) ? [path] : [],
  );
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof MigrationError && error.code === code;
}

test("planAdoption() says what it would take and leave, and changes nothing", async () => {
  const here = await place();
  const before = snapshot(here.made.folder);
  const { composed, left, text } = await plan(here);
  assert.deepEqual(
    composed.moves.map(({ secret, places }) => [secret, places]),
    [
      ["anthropic", ["state/openclaw.sqlite: anthropic:default"]],
      ["telegram", ["openclaw.json: channels.telegram.botToken"]],
      ["groq", ["openclaw.json: env.vars.GROQ_API_KEY"]],
      ["google-gemini", [".env: GEMINI_API_KEY"]],
    ],
  );
  assert.deepEqual(
    left.map((each) => each.place),
    ["state/openclaw.sqlite: openai-codex:me", ".env: CEREBRAS_API_KEY"],
  );
  assert.deepEqual(JSON.parse(text.slice(text.indexOf("\n"))), {
    seawall: 1,
    secrets: {
      anthropic: { vault: "anthropic" },
      telegram: { vault: "telegram" },
      groq: { vault: "groq" },
      "google-gemini": { vault: "google-gemini" },
    },
    bots: {
      mine: {
        openclaw: "2026.9.6",
        model: "anthropic/claude-sonnet-4-6",
        grants: {
          anthropic: { secret: "anthropic" },
          telegram: { secret: "telegram", allowFrom: [12345] },
          groq: { secret: "groq" },
          "google-gemini": { secret: "google-gemini" },
        },
        tools: {
          allow: [
            "group:messaging",
            "sessions_list",
            "sessions_history",
            "sessions_send",
            "session_status",
          ],
        },
        port: 18999,
        settings: { agents: { entries: { main: { name: "main" } } }, session: { idleMinutes: 60 } },
      },
    },
  });
  assert.deepEqual(snapshot(here.made.folder), before);
  assert.deepEqual(await here.vault.list(), []);
  const shown = JSON.stringify([composed, left, text]);
  for (const value of Object.values(here.made.canaries)) assert.ok(!shown.includes(value));
});

test("adopt() moves every credential, leaves phantoms, copies the bot; undo puts all back", async () => {
  const here = await place();
  const { made, state, vault, file } = here;
  const { cerebras, gateway, ...moved } = made.canaries;
  const before = snapshot(made.folder);
  const adoption = await plan(here);
  const { changed } = await adopt(adoption, { state, location: VAULT, store: vault, vault });
  assert.deepEqual(changed, [
    ".env",
    "agents/main/sessions/a.jsonl",
    "openclaw.json",
    "openclaw.json.bak",
    "state/openclaw.sqlite",
  ]);
  assert.equal((await vault.read("anthropic")).revealSecret(), moved["anthropic"]);
  assert.deepEqual(
    holds(made.folder, Object.values(moved)),
    [],
    "none is left in the installation",
  );
  assert.deepEqual(holds(state.root, [...Object.values(moved), cerebras ?? "", gateway ?? ""]), []);
  assert.match(readFileSync(join(made.folder, "openclaw.json"), "utf8"), /^\/\/ mine\n/);
  assert.match(
    readFileSync(join(made.folder, ".env"), "utf8"),
    /^# keys\nexport GEMINI_API_KEY="AIzaSy[\w-]{33}"\n/,
  );
  assert.equal(statSync(join(made.folder, "openclaw.json")).mode & 0o777, 0o600);
  const home = join(state.bots, "mine");
  assert.equal(readFileSync(join(home, "workspace/MEMORY.md"), "utf8"), "I remember.\n");
  assert.match(
    readFileSync(join(home, "state/agents/main/sessions/a.jsonl"), "utf8"),
    /sk-ant-api03-/,
  );
  assert.ok(existsSync(file));
  await assert.rejects(plan(here), isCode("exists"));
  const left = await undoAdoption({ installation: adoption.installation, state, vault });
  assert.deepEqual(left, []);
  assert.deepEqual(snapshot(made.folder), before);
  assert.deepEqual(await vault.list(), []);
  assert.ok(!existsSync(file) && !existsSync(home));
  await assert.rejects(
    undoAdoption({ installation: adoption.installation, state, vault }),
    isCode("nothing"),
  );
});

test("adopt() into a folder of age files; undo takes it from there, and names what it doesn't copy", async () => {
  const elsewhere = join(root, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "notes.md"), "Mine.\n");
  const helper = { name: "helper", workspace: elsewhere };
  const here = await place({ agents: { ...MODEL, entries: { main: {}, helper } } });
  const { made, state, vault, file } = here;
  const folder = join(root, "age-files");
  mkdirSync(folder, { mode: 0o700 });
  const identity = join(root, "age-identity");
  const key = await generateX25519Identity();
  writeFileSync(identity, `${key}\n`, { mode: 0o600 });
  writeFileSync(join(folder, "recipients.txt"), `${await identityToRecipient(key)}\n`);
  const location = { store: "age", folder, identity } as const;
  const store = await openWritableStore(location);
  // Of the same name, and none of this adoption's.
  await vault.set("anthropic", await adoptionValue());
  const before = snapshot(made.folder);
  const installation = await openInstallation(made.folder, "/nonexistent", state);
  const adoption = await planAdoption({ installation, bot: "mine", file, state, store });
  assert.deepEqual(
    adoption.left.filter(({ place: where }) => where.startsWith("workspace")),
    [
      {
        place: `workspace "${elsewhere}"`,
        why: "it lies outside of the installation, so it isn't copied and stays as it is",
        hint: `copy what the bot needs of it into its folder: ${join(state.bots, "mine/workspaces/helper")}`,
      },
    ],
  );
  await adopt(adoption, { state, location, store, vault });
  assert.equal((await store.read("anthropic")).revealSecret(), made.canaries["anthropic"]);
  assert.match(readFileSync(file, "utf8"), /"age": ".*\/age-files\/anthropic\.age"/);
  assert.deepEqual(holds(folder, Object.values(made.canaries)), []);
  assert.ok(!existsSync(join(state.bots, "mine/workspaces/helper")));
  assert.deepEqual(await undoAdoption({ installation, state, vault }), []);
  assert.deepEqual(snapshot(made.folder), before);
  assert.deepEqual(await store.list(), []);
  assert.ok((await vault.read("anthropic")).equals(await adoptionValue()));
  assert.equal(readFileSync(join(elsewhere, "notes.md"), "utf8"), "Mine.\n");
});

test("adopt() that fails on the way has put everything back", async () => {
  const here = await place();
  const { made, state, vault, file } = here;
  const adoption = await plan(here);
  const before = snapshot(made.folder);
  // Where the declaration was to be, something else is by now.
  mkdirSync(file);
  await assert.rejects(
    adopt(adoption, { state, location: VAULT, store: vault, vault }),
    isCode("disk"),
  );
  assert.deepEqual(snapshot(made.folder), before);
  assert.deepEqual(await vault.list(), []);
  assert.ok(!isHalfDone(state, made.folder));
});

test("undoAdoption() keeps a declaration that was changed, and says so", async () => {
  const here = await place();
  const { state, vault, file } = here;
  const adoption = await plan(here);
  await adopt(adoption, { state, location: VAULT, store: vault, vault });
  writeFileSync(file, "{ /* mine now */ }");
  const left = await undoAdoption({ installation: adoption.installation, state, vault });
  assert.deepEqual(left, [`${file}: it was changed since`]);
  assert.ok(existsSync(file));
});

test("two values for one service are both stored, and the first is used", async () => {
  const here = await place({
    env: { vars: { ANTHROPIC_API_KEY: `sk-ant-api03-${"b".repeat(93)}AA` } },
  });
  await here.vault.set("telegram", await here.vault.list().then(() => adoptionValue()));
  const { composed } = await plan(here);
  assert.deepEqual(
    composed.moves.map(({ secret, service, granted }) => [secret, service, granted]),
    [
      ["anthropic", "anthropic", true],
      // The vault's own "telegram" stays what it is.
      ["telegram-mine", "telegram", true],
      ["anthropic-mine", "anthropic", false],
      ["google-gemini", "google-gemini", true],
    ],
  );
});

test("Slack's two tokens and Matrix's are taken over as grants, with whose messages they take", async () => {
  const token = (prefix: string): string => `${prefix}${"7".repeat(12)}-${"c".repeat(24)}`;
  const telegram = { botToken: "7123456789:AAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" };
  const slack = { botToken: token("xoxb-"), appToken: token("xapp-1-A1-"), allowFrom: ["U012345"] };
  const matrix = {
    homeserver: "https://matrix.example.com/",
    accessToken: token("syt_"),
    dm: { policy: "allowlist", allowFrom: ["@owner:example.com"], threadReplies: "off" },
  };
  const grantsOf = async (channels: object): Promise<Record<string, object>> => {
    const { text } = await plan(await place({ channels: { telegram, ...channels } }));
    const declared = JSON.parse(text.slice(text.indexOf("\n"))) as {
      bots: { mine: { grants: Record<string, object>; settings: { channels?: object } } };
    };
    assert.ok(!text.includes(slack.botToken) && !text.includes(matrix.accessToken));
    const { grants, settings } = declared.bots.mine;
    return { ...grants, settings: settings.channels ?? {} };
  };
  const all = await grantsOf({ slack, matrix });
  assert.deepEqual(all["slack"], { secret: "slack", allowFrom: ["U012345"] });
  assert.deepEqual(all["slack-app"], { secret: "slack-app" });
  assert.deepEqual(all["matrix"], {
    secret: "matrix",
    url: "https://matrix.example.com",
    allowFrom: ["@owner:example.com"],
  });
  assert.deepEqual(all["settings"], { matrix: { dm: { threadReplies: "off" } } });
  const { appToken, botToken, ...rest } = slack;
  const calls = await grantsOf({ slack: { botToken, ...rest } });
  assert.deepEqual([calls["slack"], calls["slack-app"]], [{ secret: "slack" }, undefined]);
  const half = await grantsOf({ slack: { appToken } });
  assert.deepEqual([half["slack"], half["slack-app"]], [undefined, undefined]);
});

async function adoptionValue() {
  const { SecretValue } = await import("../secrets/index.ts");
  return new SecretValue("another-telegram-token");
}

test("openInstallation() and planAdoption() refuse what they can't take over", async (t) => {
  const here = await place();
  const { made, state, file, vault } = here;
  const open = (folder: string | undefined, home = "/nonexistent") =>
    openInstallation(folder, home, state);
  await t.test("nothing there", async () => {
    await assert.rejects(open(join(root, "missing")), isCode("no-installation"));
    await assert.rejects(open(undefined), isCode("no-installation"));
  });
  await t.test("a link", async () => {
    const link = join(root, "link");
    symlinkSync(made.folder, link);
    await assert.rejects(open(link), isCode("no-installation"));
  });
  await t.test("two installations", async () => {
    const home = mkdtempSync(join(root, "home-"));
    for (const name of [".openclaw", ".clawdbot"]) {
      mkdirSync(join(home, name));
      writeFileSync(join(home, name, "openclaw.json"), "{}");
    }
    await assert.rejects(open(undefined, home), isCode("several"));
  });
  await t.test("a program that has it open", async () => {
    const child = spawn("tail", ["-f", join(made.folder, "openclaw.json")], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    await assert.rejects(open(made.folder), isCode("in-use"));
    child.kill();
    await once(child, "close");
    await open(made.folder);
  });
  await t.test("a declaration, or a bot, that is there already", async () => {
    writeFileSync(file, "{}");
    await assert.rejects(plan(here), isCode("exists"));
    rmSync(file);
    mkdirSync(join(state.bots, "mine"), { recursive: true });
    await assert.rejects(plan(here), isCode("exists"));
    rmSync(join(state.bots, "mine"), { recursive: true });
  });
  await t.test("a configuration that isn't one", async () => {
    const config = join(made.folder, "openclaw.json");
    const good = readFileSync(config, "utf8");
    for (const [text, code] of [
      ["{ a: ", "unreadable"],
      ["[]", "unreadable"],
      ['{ $include: "./other.json5" }', "unreadable"],
      ['"\\', "unreadable"],
      ["{}", "no-model"],
      ["{ agents: { defaults: { model: 'openai/gpt-5.5' } } }", "no-model"],
    ] as const) {
      writeFileSync(config, text);
      await assert.rejects(plan(here), isCode(code), text);
    }
    rmSync(config);
    symlinkSync("/etc/passwd", config);
    await assert.rejects(plan(here), isCode("no-installation"));
    rmSync(config);
    writeFileSync(config, good);
  });
  await t.test("a database that isn't one", async () => {
    const database = join(made.folder, "state/openclaw.sqlite");
    const good = readFileSync(database);
    writeFileSync(database, "SQLite format 3\0 and then nothing");
    await assert.rejects(plan(here), isCode("unreadable"));
    writeFileSync(database, good);
    assert.deepEqual(await vault.list(), []);
  });
});
