import type { Feature } from "./Case.ts";
import type { Target } from "./Target.ts";
import { Visitor } from "./Visitor.ts";

/** Adds what a target turns out to have: HTTP/2 for clients, WebSocket. */
export async function probeFeatures(target: Target, features: Set<Feature>): Promise<void> {
  const [lane] = target.lanes;
  if (lane === undefined) return;
  if (lane.tls !== undefined) {
    const visitor = await Visitor.connect(target, lane, { alpn: ["h2", "http/1.1"] }, lane.words, {
      h2: true,
    });
    if (visitor.protocol === "h2") features.add("h2");
    visitor.leave();
  }
  lane.upstream.begin(
    {
      steps: [
        {
          send: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ws-accept}\r\n\r\n",
        },
      ],
    },
    lane.words,
  );
  const visitor = await Visitor.connect(target, lane, {}, lane.words, { h2: false });
  const timer = setTimeout(() => {
    visitor.leave();
  }, 5000);
  await visitor.do(
    {
      send: `GET /v1/socket HTTP/1.1\r\n${lane.plainHead}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    },
    lane.words,
  );
  await visitor.when(() => visitor.got.includes("\r\n\r\n"));
  clearTimeout(timer);
  if (visitor.got.toString("latin1").startsWith("HTTP/1.1 101")) features.add("websocket");
  visitor.leave();
  lane.upstream.calm();
  lane.upstream.cut();
}
