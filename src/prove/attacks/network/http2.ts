import { connect, type ClientHttp2Session } from "node:http2";
import type { Attack } from "../../Attack.ts";
import { addressOf, hostOf, onGrantedCall } from "../../inside/calls.ts";
import { codeOf, held, inapplicable, through } from "../../inside/findings.ts";

export const http2Authority: Attack = {
  name: "http2-authority",
  group: "network",
  tries: "name another host in HTTP/2's :authority",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, async (call) => {
      if (!call.tls) return inapplicable("the granted call goes without TLS");
      const session = connect(`https://${hostOf(call)}`, {
        host: await addressOf(call.host),
        servername: call.host,
        rejectUnauthorized: false,
      });
      try {
        const status = await ask(session, { ...call.headers, "x-prove": tag });
        if (status >= 400) return held("broker", `refused with ${status}`);
        return through(`answered with ${status}`);
      } catch (error) {
        return held("broker", `ended: ${codeOf(error)}`);
      } finally {
        session.destroy();
      }
    }),
};

function ask(session: ClientHttp2Session, headers: Record<string, string>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  session.once("error", reject);
  session.once("close", () => reject(new Error("closed")));
  const stream = session.request({ ":authority": "fronted.invalid", ":path": "/", ...headers });
  stream.once("response", (fields) => resolve(fields[":status"] ?? 0));
  stream.once("error", reject);
  stream.end();
  return promise;
}
