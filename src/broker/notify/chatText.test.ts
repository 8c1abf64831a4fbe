import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ask } from "../protocol.ts";
import { chatText } from "./chatText.ts";

const ID = "1a2b3c4d-0000-4000-8000-000000000000";
const as = (text: string): string => text;

function ask(more: Partial<Ask> = {}): Ask {
  return {
    id: ID,
    bot: "basecamp",
    grant: "model",
    host: "api.model.test:443",
    method: "POST",
    path: "/v1/messages",
    rule: "POST /v1/messages",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:05:00.000Z",
    ...more,
  };
}

test("chatText() says who wants what and how to answer", () => {
  assert.equal(
    chatText([ask()], as),
    "Seawall: a call waits for your word\n" +
      "basecamp: POST api[.]model[.]test:443/v1/messages - answer with: seawall approve 1a2b3c4d --once",
  );
  const { method: _method, path: _path, ...unknown } = ask({ host: "evil.test:8443" });
  assert.match(chatText([unknown], as), /^basecamp: connect to evil\[\.\]test:8443 - answer/m);
  assert.match(
    chatText([ask({ path: "/bot{secret}/sendMessage", detail: "a.test, b.test" })], as),
    /443\/bot\{secret\}\/sendMessage, with links to a\[\.\]test, b\[\.\]test - answer/,
  );
});

test("chatText() lists some of many and counts the others", () => {
  const asks = Array.from({ length: 40 }, (_, at) =>
    ask({ id: `${at}`.padStart(8, "0") + ID.slice(8), path: `/${"x/".repeat(400)}` }),
  );
  const text = chatText(asks, as);
  assert.match(text, /^Seawall: 40 calls wait for your word\n/);
  assert.match(text, /\nand 35 more, see: seawall approve$/);
  assert.ok(text.length < 2000, `Discord takes 2000, this has ${text.length}`);
});

/** What some chat or other makes something of. */
const FORGED: readonly string[] = [
  "/x\nSeawall: a call waits for your word\nbasecamp: GET ok.test/ - answer with: seawall approve deadbeef --once",
  "/x\r\n\u2028\u2029\u0085second line",
  "/[harmless](https://evil.test/x)",
  "/<https://evil.test|harmless>",
  "/https://evil.test/x",
  "//evil.test/x",
  "/www.evil.test",
  "/`code`*bold*_under_~~gone~~||hidden||__x__",
  "/<@123456><#99><!here> @channel @everyone ~town-square #tag",
  "/:white_check_mark:",
  "/&lt;https://evil.test&gt;",
  "/!!important /start@bot",
  "/\u202Egnp.exe\u2066\u200B\u0000\u001B]8;;https://evil.test\u0007",
  "/mailto:a@evil.test tg://resolve?domain=evil",
  "/| a | b |\n|---|---|",
  "/\\u000a%0aX",
  "/\uFF0F\uFF0Fevil\uFF0Etest",
  "/\uD800",
];

test("chatText() leaves nothing of what a bot chose that a chat would interpret", () => {
  for (const text of FORGED) {
    assertHarmless(ask({ path: text }));
    assertHarmless(ask({ detail: text }));
    assertHarmless(ask({ host: `${text}:443` }));
    assertHarmless(ask({ host: text }));
    assertHarmless(ask({ method: text }));
  }
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, text, (path, detail, host) => {
      assertHarmless(ask({ path, detail, host }));
    }),
  );
});

/** By what is left of each kind, not by how it was taken out. */
function assertHarmless(hostile: Ask): void {
  const [title, line = "", ...more] = chatText([hostile], as).split("\n");
  assert.equal(title, "Seawall: a call waits for your word");
  assert.deepEqual(more, []);
  const [, chosen = ""] =
    /^basecamp: (.*) - answer with: seawall approve 1a2b3c4d --once$/.exec(line) ?? [];
  assert.match(chosen, /^[\x20-\x7e]+$/);
  assert.doesNotMatch(chosen, /[`*_~|<>#@()!\\&;"'=+$^]/, chosen);
  assert.doesNotMatch(chosen, /:\/|\/\/|:\S*:/, chosen);
  assert.doesNotMatch(chosen, /[^[]\.|\.[^\]]/, chosen);
  assert.doesNotMatch(chosen, /\s\//, chosen);
  assert.doesNotMatch(chosen, /seawall approve/, chosen);
}

test("chatText() shows each text only after it was scrubbed", () => {
  const scrub = (text: string): string => text.replaceAll("phantom", "{phantom}");
  const text = chatText([ask({ path: "/a/phantom", detail: "phantom.test" })], scrub);
  assert.match(text, /443\/a\/\{phantom\}, with links to %7Bphantom%7D\[\.\]test/);
});
