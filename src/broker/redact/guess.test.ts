import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { modelGrant } from "../testing/grants.ts";
import { canary, TestBroker } from "../testing/TestBroker.ts";

test("a bot that chooses what a service answers can't try the secret out by the pieces that arrive", async (t) => {
  const broker = await TestBroker.start();
  t.after(() => broker.end());
  const secret = canary("sk-real-");
  broker.secrets.set("model", secret);
  const go = new EventEmitter();
  // It says what it was asked to say, in two pieces.
  const upstream = await broker.upstream(["api.model.test"], (request, response) => {
    response.write(`{"you said":"${request.headers["x-say"] as string}`);
    go.once("go", () => response.end('"}'));
  });
  const host = { name: "api.model.test", address: broker.nextAddress() };
  const dial = { host: "127.0.0.1", port: upstream.port, ca: broker.upstreamAuthority.ca };
  const grant = modelGrant({ port: broker.port, address: host.address, dial });
  await broker.bot("basecamp", [grant]);
  assert.deepEqual(await broker.configure(), { type: "configured" });

  /** Sizes of the pieces, as the chunks' heads tell them. */
  const pieces = async (say: string): Promise<string[]> => {
    const socket = await broker.connect(host.address, host.name);
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.includes("you said")) go.emit("go");
    });
    socket.write(
      `GET /v1/models/x HTTP/1.1\r\nHost: ${host.name}:${broker.port}\r\nx-api-key: ${grant.phantom}\r\nx-say: ${say}\r\nConnection: close\r\n\r\n`,
    );
    await once(socket, "close");
    assert.ok(text.includes(say));
    return text.split("\r\n").filter((line) => /^[0-9a-f]{1,4}$/.test(line));
  };
  for (const length of [1, 8, 12, secret.length - 1]) {
    const right = secret.slice(0, length);
    const last = right.endsWith("0") ? "1" : "0";
    assert.deepEqual(await pieces(right), await pieces(`${right.slice(0, -1)}${last}`));
  }
});
