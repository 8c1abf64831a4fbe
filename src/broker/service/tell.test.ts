import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Ask } from "../protocol.ts";
import { readAsks } from "./readAsks.ts";
import type { TellSocket } from "./ServiceConfig.ts";
import { Teller } from "./Teller.ts";

function ask(more: Partial<Ask> = {}): Ask {
  return {
    id: randomUUID(),
    bot: "basecamp",
    host: "api.example.com:443",
    method: "GET",
    path: "/v1/models",
    rule: "GET /v1/models",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:05:00.000Z",
    ...more,
  };
}

test("readAsks() believes the socket about the bot, and nothing that isn't an ask", () => {
  const said = ask({ bot: "herald" });
  assert.deepEqual(readAsks({ asks: [said] }, "basecamp"), [{ ...said, bot: "basecamp" }]);
  const { host: _, ...homeless } = said;
  for (const bad of [
    null,
    {},
    { asks: {} },
    { asks: [null] },
    { asks: [homeless] },
    { asks: [{ ...said, id: "../../x" }] },
    { asks: [{ ...said, path: 7 }] },
    { asks: [{ ...said, path: "x".repeat(5000) }] },
    { asks: Array.from({ length: 101 }, () => said) },
  ])
    assert.throws(() => readAsks(bad, "basecamp"), TypeError);
});

/** A Unix socket; what comes on each of its connections until it ends. */
async function listener(t: TestContext): Promise<{ path: string; next: () => Promise<string> }> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-tell-"));
  const path = join(folder, "socket");
  const server = createServer();
  server.listen(path);
  await once(server, "listening");
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const next = async (): Promise<string> => {
    const [socket] = (await once(server, "connection")) as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  return { path, next };
}

test("Teller says to a program a line for each ask, to a broker all in one, and together what comes at once", async (t) => {
  const program = await listener(t);
  const broker = await listener(t);
  const sockets: readonly TellSocket[] = [
    { way: "tell-me", path: program.path, to: "program" },
    { way: "telegram of herald", path: broker.path, to: "broker" },
  ];
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const health: (string | undefined)[] = [];
  const settled = new Set<string>();
  const teller = new Teller({
    sockets: () => sockets,
    stillWaits: (id) => !settled.has(id),
    health: (_way, why) => health.push(why),
    pauseMs: 3000,
  });
  const [first, second, gone, third] = [ask(), ask(), ask(), ask()];
  settled.add(gone.id);
  const heard = [program.next(), broker.next()];
  teller.tell(first);
  assert.deepEqual(await Promise.all(heard), [
    `${JSON.stringify(first)}\n`,
    `${JSON.stringify({ asks: [first] })}\n`,
  ]);
  const later = [program.next(), broker.next()];
  // Within the pause; the third one waits no more when it is over.
  for (const each of [second, gone, third]) teller.tell(each);
  t.mock.timers.tick(3000);
  const [lines = "", line = ""] = await Promise.all(later);
  assert.deepEqual(
    lines
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Ask),
    [second, third],
  );
  assert.deepEqual(JSON.parse(line), { asks: [second, third] });
  assert.ok(health.every((why) => why === undefined));
});

test("Teller says which way can't be had, and goes on", async () => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const teller = new Teller({
    sockets: () => [{ way: "tell-me", path: "/nonexistent/socket", to: "program" }],
    stillWaits: () => true,
    health: (way, why) => resolve(`${way}: ${why ?? ""}`),
  });
  teller.tell(ask());
  assert.match((await promise) ?? "", /^tell-me: .*ENOENT/);
});
