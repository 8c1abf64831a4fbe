import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openVault } from "../src/secrets/index.ts";
import { assertFailed } from "./support/failures.ts";
import { InitPlace, NEEDS_TERMINAL } from "./support/InitPlace.ts";
import { lacking } from "./support/lacking.ts";

/** `seawall init`: at a terminal, by a script, and stopped at each question. */

const KEY = "sk-ant-api03-canary-of-the-set-up";
const TOKEN = "123456789:AAcanary-of-the-set-up-0123456789abc";
const CHAT = "4xp9fdt77pncbef59f4k1qe83o";
const DOWN = "\u001b[B";

/** A dialogue with every kind of question: what is waited for, and what is typed then. */
const DIALOGUE: readonly (readonly [string, string])[] = [
  ["what is the bot called?", "herald\r"],
  ["whose model does it think with?", "\r"],
  ["which of its models?", "\r"],
  // Mattermost and Telegram.
  ["by which channels do people talk to it?", `${DOWN}${DOWN} ${DOWN}${DOWN} \r`],
  // Web pages by a browser.
  ["what else may it use?", `${DOWN}${DOWN} \r`],
  ["where is Mattermost bots", "https://chat.example.com/\r"],
  ["take on mattermost?", "\r"],
  ["take on telegram?", "123456, 789\r"],
  ["which hosts may pages come from", "*.wikipedia.org\r"],
  ["at which domain", "\r"],
  ["where are the secrets kept?", "\r"],
  ["the secret of Anthropic's models (not shown)", `${KEY}\r`],
  ["the secret of Mattermost bots (not shown)", `${CHAT}\r`],
  ["the secret of Telegram bots (not shown)", `${TOKEN}\r`],
  ["write it and store 3 secrets?", "\r"],
];

/** For the flake of a machine; the rest of the questions are those above. */
const FLAKE_DIALOGUE: readonly (readonly [string, string])[] = [
  ["what is the machine called?", "shore\r"],
  ["which flake is Seawall", "path:/srv/seawall\r"],
  ["what is the bot called?", "herald\r"],
  ["whose model does it think with?", "\r"],
  ["which of its models?", "\r"],
  // Telegram.
  ["by which channels do people talk to it?", `${DOWN.repeat(4)} \r`],
  ["what else may it use?", "\r"],
  ["take on telegram?", "123456\r"],
  ["at which domain", "bots.example.com\r"],
  ["where are the secrets kept?", "\r"],
  ["write them?", "\r"],
];

const FLAKE_FLAGS =
  "--host shore --seawall path:/srv/seawall --bot herald --provider anthropic --channels telegram --set telegram.allowFrom=123456 --domain bots.example.com".split(
    " ",
  );

/** The same, said by flags. */
const FLAGS = [
  "--bot",
  "herald",
  "--provider",
  "anthropic",
  "--channels",
  "mattermost,telegram",
  "--services",
  "browser-fetch",
  "--set",
  "mattermost.url=https://chat.example.com",
  "--set",
  "telegram.allowFrom=123456,789",
  "--set",
  "browser-fetch.allowHosts=*.wikipedia.org",
];

function withFiles(place: InitPlace): string[] {
  const files = { anthropic: KEY, mattermost: CHAT, telegram: `${TOKEN}\n` };
  return Object.entries(files).flatMap(([name, value]) => {
    const file = join(place.home, name);
    writeFileSync(file, value, { mode: 0o600 });
    return ["--secret-file", `${name}=${file}`];
  });
}

async function secretsOf({ state }: InitPlace): Promise<Record<string, string>> {
  const [file, identity] = [join(state, "vault/vault.age"), join(state, "vault/vault.key")];
  const vault = await openVault({ file, identity });
  const names = (await vault.list()).map(({ name }) => name);
  const values = names.map(
    async (name) => [name, (await vault.read(name)).revealSecret()] as const,
  );
  return Object.fromEntries(await Promise.all(values));
}

const ALL = { anthropic: KEY, mattermost: CHAT, telegram: TOKEN };

describe("seawall init at a terminal", { skip: lacking(...NEEDS_TERMINAL) }, () => {
  test("asks, stores, writes what a script with the same answers writes, and shows no secret", async (t) => {
    const place = new InitPlace(t);
    const { code, shown } = place.type(DIALOGUE);
    assert.equal(code, 0, shown);
    assert.match(shown, /next: seawall up\r\n/);
    for (const secret of [KEY, TOKEN, CHAT]) assert.ok(!shown.includes(secret));
    assert.deepEqual(await secretsOf(place), ALL);
    const file = readFileSync(join(place.work, "seawall.json5"), "utf8");
    const script = new InitPlace(t);
    const ran = script.run(["init", ...FLAGS, ...withFiles(script)]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(readFileSync(join(script.work, "seawall.json5"), "utf8"), file);
    assert.deepEqual(await secretsOf(script), ALL);
    assert.equal(place.run(["plan"]).code, 0);
    // What flags say isn't asked, and what the store has is offered.
    const again = place.type(
      [
        ["what is the bot called?", "\r"],
        ["which of its models?", "\r"],
        ["at which domain", "\r"],
        ['the vault has "anthropic" already', "\r"],
        ["write it?", "\r"],
      ],
      "--force",
      "--provider",
      "anthropic",
      "--channels",
      "",
      "--services",
      "",
      "--store",
      "vault",
    );
    assert.equal(again.code, 0, again.shown);
    assert.deepEqual(await secretsOf(place), ALL);
    assert.match(readFileSync(join(place.work, "seawall.json5"), "utf8"), /basecamp/);
  });

  const ways = [
    ["Ctrl-C", "\u0003", 1],
    ["Ctrl-D", "\u0004", 1],
    ["a hang-up", "HANG UP", undefined],
    ["SIGTERM", "SIGNAL TERM", -15],
    ["SIGKILL", "SIGNAL KILL", -9],
  ] as const;
  test("stopped at any question it leaves nothing, whatever stops it", (t) => {
    DIALOGUE.forEach(([question], at) => {
      // Every way at the first, a hidden and the last one; elsewhere one each.
      const all = [0, 12, DIALOGUE.length - 1].includes(at);
      for (const [how, typed, code] of all ? ways : [ways[at % ways.length] ?? ways[0]]) {
        const place = new InitPlace(t);
        const ended = place.type([...DIALOGUE.slice(0, at), [question, typed]]);
        const where = `${how} at: ${question}\n${ended.shown}`;
        // Hung up, it hears of that by the signal or by reading.
        if (code === undefined) assert.ok([1, -1].includes(ended.code), where);
        else assert.equal(ended.code, code, where);
        assert.deepEqual(place.files(), [], where);
        // The cursor and the terminal's own way of pasting are back.
        if (code === 1 || code === -15)
          assert.ok(ended.shown.includes("[?2004l\u001b[?25h"), where);
        if (code === 1)
          assert.match(
            ended.shown,
            /error: stopped before the last answer\r\n {2}hint: nothing was written/,
          );
        for (const secret of [KEY, TOKEN, CHAT]) assert.ok(!ended.shown.includes(secret), where);
      }
    });
  });

  test("a flake: asks, writes what a script with the same answers writes, and stopped at any question leaves nothing", (t) => {
    const place = new InitPlace(t);
    const { code, shown } = place.type(FLAKE_DIALOGUE, "--flake");
    assert.equal(code, 0, shown);
    assert.match(shown, /once it runs.*seawall secret set anthropic.*\r\nnext: .*nixos-rebuild/);
    const script = new InitPlace(t);
    assert.equal(script.run(["init", "--flake", ...FLAKE_FLAGS]).code, 0);
    const written = ["work/bots.nix", "work/configuration.nix", "work/flake.nix"];
    for (const each of [place, script]) assert.deepEqual(each.files(), written);
    for (const name of written)
      assert.equal(
        readFileSync(join(place.root, name), "utf8"),
        readFileSync(join(script.root, name), "utf8"),
      );
    FLAKE_DIALOGUE.forEach(([question], at) => {
      const [how, typed, ended] = ways[at % ways.length] ?? ways[0];
      const stopped = new InitPlace(t);
      const steps = [...FLAKE_DIALOGUE.slice(0, at), [question, typed] as const];
      const said = stopped.type(steps, "--flake");
      const where = `${how} at: ${question}\n${said.shown}`;
      if (ended === undefined) assert.ok([1, -1].includes(said.code), where);
      else assert.equal(said.code, ended, where);
      assert.deepEqual(stopped.files(), [], where);
    });
  });

  test("an answer that isn't one is asked for again, and says why", (t) => {
    const place = new InitPlace(t);
    const clear = "\u0015";
    const { code, shown } = place.type(
      [
        ["what is the bot called?", "Basecamp\r"],
        ["can't be a name here", `${clear}herald\r`],
        ["which of its models?", "sk-ant-api03-0123456789abcdef\r"],
        ["this looks like a secret", `${clear}claude sonnet\r`],
        ['it must be "provider/model"', `${clear}claude-opus-5\r`],
        ["at which domain", "localhost\r"],
        ["a domain of yours", `${clear}bücher.example\r`],
        ["xn--bcher-kva.example", `${clear}\r`],
        ["Anthropic's models (not shown)", "\r"],
        ["that is empty", `${KEY}\r`],
        ["Telegram bots (not shown)", "wrong:token\r"],
        ["that is no token of Telegram bots", `${TOKEN}\r`],
        ["write it and store 2 secrets?", "n\r"],
      ],
      "--provider",
      "anthropic",
      "--channels",
      "telegram",
      "--services",
      "",
      "--store",
      "vault",
      "--set",
      "telegram.allowFrom=",
    );
    assert.equal(code, 1, shown);
    assert.match(shown, /nothing was written/);
    assert.deepEqual(place.files(), []);
  });

  test("a secret pasted with several lines is one answer, which is refused; a line end behind it is none", async (t) => {
    const place = new InitPlace(t);
    const [begin, end] = ["\u001b[200~", "\u001b[201~"];
    const flags = [
      "--bot",
      "a",
      "--provider",
      "anthropic",
      "--model",
      "x",
      "--channels",
      "telegram",
    ];
    const { code, shown } = place.type(
      [
        // With the marks that terminals put round it, without, and with keys that would do something.
        ["Anthropic's models (not shown)", `${begin}first\nsecond\n${end}\r`],
        ["that has several lines", "first\rsecond\r"],
        ["that has several lines", `${begin}a\u0003b${end}\r`],
        ["that has characters in it that nobody can type", `${begin}${KEY}\n${end}\r`],
        ["Telegram bots (not shown)", `${TOKEN}\r`],
        ["write it and store 2 secrets?", "\r"],
      ],
      ...flags,
      "--services",
      "",
      "--set",
      "telegram.allowFrom=",
      "--domain",
      "",
      "--store",
      "vault",
    );
    assert.equal(code, 0, shown);
    assert.deepEqual(await secretsOf(place), { anthropic: KEY, telegram: TOKEN });
    assert.ok(!shown.includes("second"), shown);
  });

  test("a vault with a passphrase: asked for twice when it is made, once when it is there", async (t) => {
    const place = new InitPlace(t);
    const flags = ["--bot", "a", "--provider", "anthropic", "--model", "x", "--channels", ""];
    const rest = ["--services", "", "--domain", "", "--store", "vault"];
    const typed = (steps: readonly (readonly [string, string])[], ...more: string[]) =>
      place.type(steps, ...flags, ...rest, ...more);
    const differing = typed(
      [
        ["new passphrase for the vault", "correct horse\r"],
        ["once more", "other\r"],
      ],
      "--passphrase",
    );
    assert.equal(differing.code, 2, differing.shown);
    assert.deepEqual(place.files(), []);
    const made = typed(
      [
        ["new passphrase for the vault", "correct horse\r"],
        ["once more", "correct horse\r"],
        ["Anthropic's models (not shown)", `${KEY}\r`],
        ["write it and store 1 secret?", "\r"],
      ],
      "--passphrase",
    );
    assert.equal(made.code, 0, made.shown);
    assert.ok(existsSync(join(place.state, "vault/vault.key.age")));
    const there = typed(
      [
        ["passphrase of the vault", "correct horse\r"],
        ['the vault has "anthropic" already', "\r"],
        ["write it?", "\r"],
      ],
      "--force",
    );
    assert.equal(there.code, 0, there.shown);
    for (const { shown } of [differing, made, there]) assert.ok(!shown.includes("correct horse"));
  });

  test("a terminal without a size is written to like one of 80 columns", (t) => {
    const place = new InitPlace(t);
    const { shown } = place.type([
      ["what is the bot called?", "SIZE 0 0"],
      ["", "\r"],
      ["whose model does it think with?", "\u0003"],
    ]);
    assert.match(shown, /error: stopped/);
  });
});

describe("seawall init without a terminal", () => {
  test("says everything that is missing at once, or everything that is wrong", (t) => {
    const place = new InitPlace(t);
    assertFailed(place.run(["init"]), 2, /missing: --provider anthropic\|google\|/);
    const missing = place.run([
      "init",
      "--provider",
      "ollama",
      "--channels",
      "mattermost,telegram",
    ]);
    assertFailed(
      missing,
      2,
      /missing: --model …, --set mattermost\.url=…, --secret-file mattermost=FILE, --secret-file telegram=FILE\n/,
    );
    const long = "x".repeat(300);
    const wrong = place.run([
      "init",
      "--bot",
      "Ü",
      "--provider",
      "nobody",
      "--channels",
      "irc",
      "--services",
      "bridge,telegram",
      "--domain",
      `${long}.example`,
      "--store",
      "drawer",
      "--set",
      "gitea.url=x",
    ]);
    assert.equal(wrong.code, 2, wrong.stderr);
    for (const text of [
      "8 answers",
      "--bot: ",
      "--provider: ",
      "--channels: ",
      "docs/services.md",
      "--domain: ",
      "--store: ",
      "--set gitea.url: nothing asks",
      '"telegram" is a channel',
    ])
      assert.ok(wrong.stderr.includes(text), `${text}: ${wrong.stderr}`);
    assert.ok(!wrong.stderr.includes(long));
    const json = JSON.parse(place.run(["init", "--json"]).stdout) as { ok: boolean; code: string };
    assert.deepEqual([json.ok, json.code], [false, "usage"]);
    assert.deepEqual(place.files(), []);
  });

  test("refuses answers that aren't, and repeats none of them", (t) => {
    const place = new InitPlace(t);
    const bad: readonly (readonly [readonly string[], RegExp])[] = [
      [["--domain", "localhost"], /--domain: it must be a domain of yours/],
      [["--domain", "a\u001b[31m.example"], /--domain: it must be a domain of yours/],
      [["--domain", "bücher.example"], /xn--bcher-kva\.example/],
      [["--bot", "x".repeat(40)], /--bot: .*can't be a name here|--bot: /],
      [["--model", "a b"], /--model: it must be "provider\/model"/],
      [["--model", ""], /--model: a model has a name/],
      [["--set", "telegram"], /--set is given without a name and =/],
      [["--set", "a.b=1", "--set", "a.b=2"], /--set a\.b is given twice/],
      [
        ["--channels", "mattermost", "--set", "mattermost.url=chat.example.com"],
        /mattermost\.url: it must be scheme and host/,
      ],
      [["--channels", "telegram", "--set", `telegram.allowFrom=${TOKEN}`], /looks like a secret/],
      [["--services", "imap", "--set", "imap.server=no server"], /--set imap\.server: /],
      [["--secret-file", `anthropic=${KEY}`], /can't be read: there is no such file/],
      [["--secret-file", KEY], /--secret-file is given without a name and =/],
      [["--store", "env", "--secret-at", `anthropic=${KEY}`], /--secret-at anthropic: /],
      [["--store", "file", "--secret-at", `anthropic=${KEY}`], /looks like a secret/],
      [["--store", "file", "--secret-file", "anthropic=-"], /Seawall doesn't write to plain files/],
      [["--store", "sops"], /missing: --sops-file …/],
      [["--secret-file", "anthropic=-", "--secret-file", "telegram=-"], /can be only one secret/],
      [["--secret-file", "anthropic=/"], /can't be read/],
    ];
    for (const [flags, message] of bad) {
      const ran = place.run(["init", "--provider", "anthropic", ...flags]);
      assert.equal(ran.code, 2, `${flags.join(" ")}: ${ran.stderr}`);
      assert.match(ran.stderr, message);
      for (const value of [KEY, TOKEN]) assert.ok(!ran.stderr.includes(value), flags.join(" "));
    }
    const values: readonly (readonly [string, RegExp])[] = [
      ["", /that is empty/],
      ["\n", /that is empty/],
      ["two\nlines\n", /that has several lines/],
      ["nul\0", /nobody can type/],
      [" sk-1", /begins or ends with a blank/],
      ["schlüssel-zum-haus", /no key has/],
    ];
    for (const [value, message] of values) {
      const ran = place.run(
        ["init", "--provider", "anthropic", "--secret-file", "anthropic=-"],
        value,
      );
      assertFailed(ran, 2, message);
    }
    assertFailed(
      place.run(
        ["init", "--provider", "anthropic", "--secret-file", "anthropic=-"],
        "x".repeat(200_000),
      ),
      2,
      /too large/,
    );
    assert.deepEqual(place.files(), []);
  });

  test("refuses to replace a declaration, or a secret with another value, unless told", async (t) => {
    const place = new InitPlace(t);
    const args = ["init", "--provider", "anthropic", "--secret-file", "anthropic=-"];
    assert.equal(place.run(args, KEY).code, 0);
    const file = join(place.work, "seawall.json5");
    const before = readFileSync(file, "utf8");
    assertFailed(place.run(args, KEY), 1, /already a declaration at .*\n {2}hint: .*--force/);
    // What a run that was killed has stored is no hindrance.
    assert.equal(place.run([...args, "--force"], `${KEY}\n`).code, 0);
    assertFailed(place.run([...args, "--force"], `${KEY}-2`), 2, /another value.*--replace/);
    assert.deepEqual(await secretsOf(place), { anthropic: KEY });
    assert.equal(readFileSync(file, "utf8"), before);
    assert.equal(place.run([...args, "--force", "--replace"], `${KEY}-2`).code, 0);
    assert.deepEqual(await secretsOf(place), { anthropic: `${KEY}-2` });
    // What is there is used without being given again.
    assert.equal(place.run(["init", "other.json5", "--provider", "anthropic"]).code, 0);
  });

  test("each store is declared as it has to be, and the result is right", (t) => {
    const place = new InitPlace(t);
    const stores: readonly (readonly [readonly string[], RegExp])[] = [
      [["file"], /anthropic: \{ file: "\/run\/secrets\/anthropic" \}/],
      [["file", "--secret-at", "anthropic=~/keys/a"], /\{ file: "~\/keys\/a" \}/],
      [["env"], /\{ env: "ANTHROPIC_API_KEY" \}/],
      [["systemd"], /\{ systemdCredential: "anthropic" \}/],
      [["pass"], /\{ exec: \["pass", "show", "bots\/anthropic"\] \}/],
      [
        ["1password", "--secret-at", "anthropic=op://bots/a/key"],
        /\{ exec: \["op", "read", "op:\/\/bots\/a\/key"\] \}/,
      ],
      [
        ["sops", "--sops-file", "secrets.yaml", "--identity", "~/.config/sops/age/keys.txt"],
        /\{ sops: "\/.*secrets\.yaml", key: "anthropic", identity: "~\/\.config\/sops\/age\/keys\.txt" \}/,
      ],
    ];
    for (const [flags, declared] of stores) {
      const ran = place.run(["init", "--provider", "anthropic", "--force", "--store", ...flags]);
      assert.equal(ran.code, 0, ran.stderr);
      assert.match(readFileSync(join(place.work, "seawall.json5"), "utf8"), declared);
      assert.equal(place.run(["plan"]).code, 0);
    }
    assert.ok(!existsSync(place.state));
  });

  test("into a folder of age files", (t) => {
    const place = new InitPlace(t);
    const folder = join(place.home, "secrets");
    const args = ["init", "--provider", "anthropic", "--store", "age", "--folder", folder];
    const identity = [
      "--identity",
      "/etc/ssh/ssh_host_ed25519_key",
      "--secret-file",
      "anthropic=-",
    ];
    assertFailed(
      place.run([...args, ...identity], KEY),
      1,
      /there is no .*folder of age files|there is no /,
    );
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(
      join(folder, "recipients.txt"),
      "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n",
    );
    const ran = place.run([...args, ...identity], KEY);
    assert.equal(ran.code, 0, ran.stderr);
    assert.ok(!readFileSync(join(folder, "anthropic.age"), "latin1").includes(KEY));
    const text = readFileSync(join(place.work, "seawall.json5"), "utf8");
    assert.ok(text.includes(`{ age: "${folder}/anthropic.age", identity: "/etc/ssh/`), text);
  });

  test("--dry-run shows the file and makes none; --json has it all", (t) => {
    const place = new InitPlace(t);
    const args = ["init", "--provider", "anthropic", "--secret-file", "anthropic=-"];
    const dry = place.run([...args, "--dry-run"], KEY);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /^\/\/ Written by: seawall init/);
    assert.deepEqual(place.files(), []);
    const ran = place.run([...args, "--json"], KEY);
    const { text, ...told } = JSON.parse(ran.stdout) as Record<string, unknown>;
    assert.equal(text, readFileSync(join(place.work, "seawall.json5"), "utf8"));
    assert.equal(dry.stdout, text);
    assert.deepEqual(told, {
      ok: true,
      file: join(place.work, "seawall.json5"),
      written: true,
      bot: "basecamp",
      secrets: [{ name: "anthropic", declared: { vault: "anthropic" }, stored: true }],
      next: "seawall up",
    });
    assert.ok(!ran.stdout.includes(KEY));
  });

  test("Slack as a channel is two grants and two secrets", (t) => {
    const place = new InitPlace(t);
    const args =
      "init --provider anthropic --channels slack --set slack.allowFrom=U0123456789 --store file --dry-run";
    const { code, stdout, stderr } = place.run(args.split(" "));
    assert.equal(code, 0, stderr);
    assert.ok(stdout.includes('slack: { secret: "slack", allowFrom: ["U0123456789"] }'), stdout);
    assert.ok(stdout.includes('"slack-app": { secret: "slack-app" }'), stdout);
    assert.ok(stdout.includes('"slack-app": { file: "/run/secrets/slack-app" }'), stdout);
  });

  test("tells of an OpenClaw that could be taken over", (t) => {
    const place = new InitPlace(t);
    mkdirSync(join(place.home, ".openclaw"));
    writeFileSync(join(place.home, ".openclaw/openclaw.json"), "{}");
    const ran = place.run(
      ["init", "--provider", "anthropic", "--dry-run", "--secret-file", "anthropic=-"],
      KEY,
    );
    assert.match(ran.stderr, /seawall secret adopt/);
  });

  test("a place that can't be written is refused before anything is stored", (t) => {
    const place = new InitPlace(t);
    const args = ["--provider", "anthropic", "--secret-file", "anthropic=-"];
    assertFailed(
      place.run(["init", "nowhere/seawall.json5", ...args], KEY),
      5,
      /can't write .*its folder isn't there\n {2}hint: nothing was changed/,
    );
    assertFailed(
      place.run(["init", "/proc/seawall.json5", ...args], KEY),
      5,
      /can't write "\/proc\//,
    );
    assert.deepEqual(place.files(), []);
  });
});
