import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContentPlan, MessageShape } from "../../plan/index.ts";
import { readForm } from "../body/form.ts";
import { readMultipart } from "../body/multipart.ts";
import type { Decision } from "../decide/decide.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import { isRefusal } from "../Refusal.ts";
import { checkContent, isListed } from "./checkContent.ts";
import { editCall } from "./editCall.ts";

const HOST = { name: "api.test", port: 443, scheme: "https", v4: "11.0.0.1" } as const;
const GRANT: InjectBrokerGrant = {
  kind: "inject",
  name: "chat",
  service: "chat",
  hosts: [HOST],
  secret: "secret",
  phantom: "phantom-phantom",
  places: [],
  rules: [],
  anonymous: [],
};
const GRANTED: Granted & { readonly grant: InjectBrokerGrant } = {
  bot: "basecamp",
  grant: GRANT,
  host: HOST,
};
const PATH = "/bot{secret}/sendMessage";
const SHAPE: MessageShape = {
  method: "POST",
  path: PATH,
  texts: ["/text", "/blocks", "/embeds/url"],
  previewOff: [{ pointer: "/options/is_disabled", value: true }],
};
const PLAN: ContentPlan = { messages: [SHAPE], previews: "off", linkHosts: ["good.test"] };

const BOUNDARY = "xxBOUNDARYxx";
function parts(fields: Readonly<Record<string, string>>): string {
  const all = Object.entries(fields).map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return `${all.join("")}--${BOUNDARY}--\r\n`;
}

function call(content: string | object, type = "application/json", more: Partial<Call> = {}): Call {
  const bytes = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
  const boundary = type === "multipart/form-data" ? `; boundary=${BOUNDARY}` : "";
  return {
    method: "POST",
    path: PATH,
    query: "",
    host: "api.test",
    headers: [["Content-Type", type + boundary]],
    body: "length",
    content: { bytes, type, parameters: new Map(boundary === "" ? [] : [["boundary", BOUNDARY]]) },
    ...more,
  };
}

/** The code of the refusal, what is asked, or the body as it leaves. */
function outcome(plan: ContentPlan, made: Call): string {
  const checked = checkContent(plan, GRANTED, made, made.path);
  if (isRefusal(checked)) return checked.refused;
  if (checked.link !== undefined) return `ask ${checked.link}`;
  const decision: Decision = {
    granted: GRANTED,
    rule: "",
    verdict: "allow",
    placed: [],
    path: PATH,
  };
  return editCall(made, decision, checked.edits).call.content?.bytes.toString() ?? "";
}

const FORM = "application/x-www-form-urlencoded";

test("checkContent() lets a message without other links pass, its preview switched off", () => {
  const off = { is_disabled: true };
  for (const [given, wanted] of [
    [{ text: "hi" }, { text: "hi", options: off }],
    [{}, { options: off }],
    [{ options: { is_disabled: false, x: 1 } }, { options: { is_disabled: true, x: 1 } }],
    [{ options: { x: 1 } }, { options: { x: 1, is_disabled: true } }],
    [
      { options: null, text: "https://good.test/" },
      { options: off, text: "https://good.test/" },
    ],
    [{ options: [] }, { options: off }],
  ])
    assert.equal(outcome(PLAN, call(given as object)), JSON.stringify(wanted));
  assert.equal(outcome({ ...PLAN, previews: "unchanged" }, call({ text: "x" })), '{"text":"x"}');
});

test("checkContent() refuses other links wherever the message holds them", () => {
  const link = "https://evil.test/?d=1";
  for (const body of [
    { text: link },
    { Text: link },
    { text: { nested: [link] } },
    { blocks: [{ elements: [{ type: "link", url: link }] }] },
    { embeds: [{ title: "x" }, { url: link }] },
    `{"text":"https:\\/\\/evil.test"}`,
    `{"text":"\\u0068ttps://evil.test"}`,
  ]) {
    assert.equal(outcome(PLAN, call(body)), "content-link", JSON.stringify(body));
    assert.equal(outcome({ ...PLAN, otherLinks: "ask" }, call(body)), "ask evil.test");
  }
  for (const body of [
    `text=${encodeURIComponent(link)}`,
    `Text=${encodeURIComponent(link)}`,
    `text[]=${encodeURIComponent(link)}`,
    `blocks=${encodeURIComponent(`[{"url":"https:\\/\\/evil.test"}]`)}`,
    `payload=${encodeURIComponent(JSON.stringify({ text: link }))}`,
  ])
    assert.equal(outcome(PLAN, call(body, FORM)), "content-link", body);
  for (const fields of [{ text: link }, { payload_json: JSON.stringify({ text: link }) }])
    assert.equal(outcome(PLAN, call(parts(fields), "multipart/form-data")), "content-link");
});

test("checkContent() switches previews off in forms and multipart bodies", () => {
  const sent = (text: string, type: string) => outcome(PLAN, call(text, type));
  const form = readForm(Buffer.from(sent("text=hi&chat=1", FORM)));
  assert.deepEqual(
    form?.map(([name, value]) => [name, value]),
    [
      ["text", "hi"],
      ["chat", "1"],
      ["options", '{"is_disabled":true}'],
    ],
  );
  assert.equal(
    sent("options=x&text=hi&Options=y", FORM),
    "options=%7B%22is_disabled%22%3Atrue%7D&text=hi&Options=%7B%22is_disabled%22%3Atrue%7D",
  );
  assert.equal(
    sent(`payload=${encodeURIComponent('{"text":"a&b"}')}`, FORM),
    `payload=${encodeURIComponent('{"text":"a&b","options":{"is_disabled":true}}')}`,
  );
  const read = (text: string) => {
    const bytes = Buffer.from(text);
    return readMultipart(bytes, BOUNDARY)?.map(({ name, start, end }) => [
      name,
      bytes.toString("utf8", start, end),
    ]);
  };
  assert.deepEqual(read(sent(parts({ text: "hi" }), "multipart/form-data")), [
    ["text", "hi"],
    ["options", '{"is_disabled":true}'],
  ]);
  assert.deepEqual(read(sent(parts({ options: "x", text: "hi" }), "multipart/form-data")), [
    ["options", '{"is_disabled":true}'],
    ["text", "hi"],
  ]);
  assert.deepEqual(read(sent(parts({ payload_json: "{}" }), "multipart/form-data")), [
    ["payload_json", '{"options":{"is_disabled":true}}'],
  ]);
});

test("checkContent() takes a file for no text, unless it is the whole message", () => {
  const file = (name: string, content: string) =>
    parts({ x: "y" }).replace(
      'name="x"\r\n\r\ny',
      `name="${name}"; filename="f"\r\n\r\n${content}`,
    );
  const plan: ContentPlan = { ...PLAN, previews: "unchanged", maxBytes: 100 };
  const upload = file("text", "https://evil.test".repeat(10_000));
  assert.equal(outcome(plan, call(upload, "multipart/form-data")), upload);
  const whole = file("payload_json", '{"text":"https://evil.test"}');
  assert.equal(outcome(plan, call(whole, "multipart/form-data")), "content-link");
});

test("checkContent() refuses a message that can be read in two ways, or not at all", () => {
  for (const made of [
    call("{"),
    call("[]"),
    call('{"text":"a","text":"b"}'),
    call({ options: {}, Options: {} }),
    call({ options: { IS_DISABLED: false } }),
    call({ text: "hi" }, "text/plain"),
    call({ text: "hi" }, "application/json; charset=utf-16"),
    call("text=a;text=b", FORM),
    call("payload=x", FORM),
    call("payload=%7B%7D&text=x", FORM),
    call("payload=%7B%7D&payload_json=%7B%7D", FORM),
    call(parts({ text: "x" }).slice(0, -4), "multipart/form-data"),
    call({}, "application/json", { query: "?text=https://evil.test" }),
    call({}, "application/json", { query: "?TEXT=x" }),
    call({}, "application/json", { query: "?options=x" }),
    call({}, "application/json", { query: "?a=%zz" }),
    call({}, "application/json", { method: "GET", query: "?text=x" }),
    call({ text: "hi" }, "application/json", {
      path: "/bot{secret}/SendMessage/",
      query: "?text=",
    }),
  ])
    assert.equal(outcome(PLAN, made), "body-unreadable", made.content?.bytes.toString());
  const { content: _unread, ...streaming } = call({ text: "hi" });
  assert.equal(outcome(PLAN, streaming), "body-unreadable");
  const plain = { ...call("", FORM), body: "none" as const };
  assert.equal(outcome(PLAN, plain), "");
  assert.equal(outcome(PLAN, call("{", "text/plain", { path: "/bot{secret}/getMe" })), "{");
});

test("checkContent() measures texts in bytes, all of one place together", () => {
  const plan = { ...PLAN, maxBytes: 4 };
  assert.match(outcome(plan, call({ text: "\u00e4\u00e4" })), /^\{/);
  assert.equal(outcome(plan, call({ text: "\u00e4\u00e4x" })), "content-size");
  assert.equal(outcome(plan, call({ blocks: [{ a: "xxx" }, { b: "xx" }] })), "content-size");
  assert.equal(outcome(plan, call("text=%C3%A4%C3%A4x", FORM)), "content-size");
  assert.equal(outcome(PLAN, call({ text: "x".repeat(70_000) })), "content-size");
  const { linkHosts: _any, ...unlinked } = PLAN;
  assert.match(outcome(unlinked, call({ text: "x".repeat(70_000) })), /^\{/);
});

test("checkContent() asks about a few hosts and refuses many", () => {
  const plan: ContentPlan = { ...PLAN, otherLinks: "ask" };
  const text = (count: number) =>
    Array.from({ length: count }, (_each, index) => `https://h${index}.test`).join(" ");
  assert.equal(outcome(plan, call({ text: text(2) })), "ask h0.test, h1.test");
  assert.equal(outcome(plan, call({ text: text(6) })), "content-link");
});

test("isListed() takes a star for one name or more below the rest", () => {
  assert.equal(isListed(["a.test", "*.b.test"], "a.test"), true);
  assert.equal(isListed(["a.test", "*.b.test"], "x.y.b.test"), true);
  for (const host of ["b.test", "x.a.test", "xb.test", ".b.test", "a.test.evil", ""])
    assert.equal(isListed(["a.test", "*.b.test"], host), false, host);
});

test("editCall() moves the places of the credential along", () => {
  const body = '{"options":{},"token":"PHANTOM"}';
  const made = call(body);
  const start = body.indexOf('"PHANTOM"');
  const decision: Decision = {
    granted: GRANTED,
    rule: "",
    verdict: "allow",
    path: PATH,
    placed: [{ place: { in: "json", pointer: "/token" }, start, end: start + 9 }],
  };
  const checked = checkContent(PLAN, GRANTED, made, made.path);
  assert.ok(!isRefusal(checked));
  const edited = editCall(made, decision, checked.edits);
  const [placed] = edited.decision.placed;
  assert.ok(placed !== undefined && "start" in placed);
  assert.equal(edited.call.content?.bytes.toString("utf8", placed.start, placed.end), '"PHANTOM"');
  const overlapping = [{ start: start + 1, end: start + 2, bytes: Buffer.alloc(0) }];
  assert.throws(() => editCall(made, decision, overlapping), TypeError);
});
