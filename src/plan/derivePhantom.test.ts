import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue } from "../catalogue/index.ts";
import { derivePhantom } from "./derivePhantom.ts";
import { parsePhantom } from "./parsePhantom.ts";

const KEY = Buffer.alloc(32, 7);

function shape(template: string): Exclude<ReturnType<typeof parsePhantom>, { wrong: string }> {
  const parsed = parsePhantom(template);
  assert.ok(!("wrong" in parsed));
  return parsed;
}

test("derivePhantom() is stable, and differs by bot, grant and key", () => {
  const s = shape("sk-{base64url:40}");
  const one = derivePhantom(s, KEY, { bot: "a", grant: "x" });
  assert.equal(one, derivePhantom(s, KEY, { bot: "a", grant: "x" }));
  const others = [
    derivePhantom(s, KEY, { bot: "b", grant: "x" }),
    derivePhantom(s, KEY, { bot: "a", grant: "y" }),
    derivePhantom(s, Buffer.alloc(32, 8), { bot: "a", grant: "x" }),
    // A name can't be moved over the border between the two.
    derivePhantom(s, KEY, { bot: 'a","x', grant: "" }),
  ];
  assert.equal(new Set([one, ...others]).size, 5);
});

test("derivePhantom() has the shape that each service's clients check", () => {
  const shapes: Record<string, RegExp> = {
    "annas-archive": /^[A-Za-z0-9]{28}$/,
    anthropic: /^sk-ant-api03-[\w-]{93}AA$/,
    aws: /^AKIA[A-Z2-7]{20}$/,
    "aws-s3": /^AKIA[A-Z2-7]{20}$/,
    bedrock: /^AKIA[A-Z2-7]{20}$/,
    brave: /^BSA[\w-]{28}$/,
    caldav: /^[\w-]{32}$/,
    deepseek: /^sk-[0-9a-f]{32}$/,
    discord: /^M\w{25}\.\w{6}\.[\w-]{38}$/,
    elevenlabs: /^sk_[0-9a-f]{48}$/,
    gitea: /^[0-9a-f]{40}$/,
    github: /^ghp_[A-Za-z0-9]{36}$/,
    gitlab: /^glpat-[\w-]{20}$/,
    "google-api": /^ya29\.c\.[\w-]{180}$/,
    "google-gemini": /^AIza[\w-]{35}$/,
    groq: /^gsk_[A-Za-z0-9]{52}$/,
    "home-assistant": /^eyJ[\w-]+\.[\w-]{96}\.[\w-]{43}$/,
    huggingface: /^hf_[A-Za-z0-9]{34}$/,
    imap: /^[\w-]{32}$/,
    linear: /^lin_api_[A-Za-z0-9]{40}$/,
    "local-models": /^sk-[\w-]{40}$/,
    matrix: /^syt_[\w-]{30}_[A-Za-z0-9]{20}_[A-Za-z0-9]{6}$/,
    mattermost: /^[a-z0-9]{26}$/,
    mistral: /^[A-Za-z0-9]{32}$/,
    notion: /^ntn_[A-Za-z0-9]{46}$/,
    ollama: /^[0-9a-f]{40}$/,
    openai: /^sk-proj-[\w-]{74}T3BlbkFJ[\w-]{74}$/,
    openrouter: /^sk-or-v1-[0-9a-f]{64}$/,
    postgres: /^[\w-]{32}$/,
    radarr: /^[0-9a-f]{32}$/,
    slack: /^xoxb-\d{12}-\d{13}-[A-Za-z0-9]{24}$/,
    // Without an app's id, which a client would take for the real one.
    "slack-app": /^xapp-1-_\w{10}-\d{13}-[0-9a-f]{64}$/,
    smtp: /^[\w-]{32}$/,
    sonarr: /^[0-9a-f]{32}$/,
    tavily: /^tvly-[A-Za-z0-9]{32}$/,
    telegram: /^[1-9]\d{9}:AA[\w-]{33}$/,
    transcribe: /^sk-[A-Za-z0-9]{32}$/,
    whatsapp: /^EAA[A-Za-z0-9]{180}$/,
    xai: /^xai-[A-Za-z0-9]{80}$/,
  };
  for (const [name, entry] of catalogue) {
    if (entry.program !== undefined) continue;
    const phantom = derivePhantom(shape(entry.phantom), KEY, { bot: "a", grant: name });
    // One that was made by `seawall service new` has the shape that says nothing.
    assert.match(phantom, shapes[name] ?? /^phantom-[\w-]{40}$/, name);
  }
});

test("derivePhantom() uses every character of an alphabet about equally", () => {
  const text = derivePhantom([{ alphabet: "digits", length: 50_000 }], KEY, {
    bot: "a",
    grant: "b",
  });
  for (const digit of "0123456789") {
    const count = text.split(digit).length - 1;
    // 5,000 expected; eight standard deviations.
    assert.ok(Math.abs(count - 5_000) < 8 * Math.sqrt(4_500), `${digit}: ${count}`);
  }
});

test("parsePhantom() refuses what could be guessed or can't stand in a header or a path", () => {
  for (const template of [
    "",
    "abc",
    "x-{hex:20}",
    "{digits:20}",
    "a b{hex:40}",
    "a/../{hex:40}?",
    "{hex:40}{oops:3}",
  ]) {
    assert.ok("wrong" in parsePhantom(template), template);
  }
});
