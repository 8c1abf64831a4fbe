import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { refusalBody } from "../../broker/Refusal.ts";
import { Rest } from "./Rest.ts";

async function answering(t: TestContext, body: string): Promise<Rest> {
  const server = createServer((_request, response) => response.writeHead(502).end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return new Rest("gitea", `http://127.0.0.1:${(server.address() as AddressInfo).port}`, "none");
}

test("Rest says why the broker didn't get there, and that it may be the clock", async (t) => {
  const untrusted = await answering(t, refusalBody("upstream-untrusted"));
  await assert.rejects(untrusted.call("GET", "/user"), {
    code: "unreachable",
    message:
      "gitea answers with 502: the host's certificate can't be trusted, or this machine's clock",
  });
  const away = await answering(t, refusalBody("upstream-unreachable"));
  await assert.rejects(away.call("GET", "/user"), {
    message: "gitea answers with 502: the host can't be reached",
  });
});

test("Rest repeats nothing else that a server says", async (t) => {
  for (const body of [
    "<html>",
    '{"error":{"type":"other","message":"x"}}',
    '{"error":{"type":"seawall_refused","message":"\\u001b[2J"}}',
  ]) {
    const rest = await answering(t, body);
    await assert.rejects(rest.call("GET", "/user"), { message: "gitea answers with 502" });
  }
});
