import type { Attack } from "../../Attack.ts";
import { onGrantedCall, request, say } from "../../inside/calls.ts";
import { held, through, untried } from "../../inside/findings.ts";

export const h2cUpgrade: Attack = {
  name: "h2c-upgrade",
  group: "network",
  tries: "turn a checked connection into HTTP/2 that nobody reads (Upgrade: h2c)",
  run: ({ field }) =>
    onGrantedCall(field.broker, async (call) => {
      const headers = {
        connection: "upgrade, http2-settings",
        upgrade: "h2c",
        "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA",
      };
      const { reply, error } = await say(call, request(call, { headers }));
      const status = /^HTTP\/1\.1 (\d+)/.exec(reply)?.[1];
      if (status === "101") return through("the connection was upgraded");
      if (status === undefined) return held("broker", `ended: ${error ?? "without an answer"}`);
      if (/^[45]/.test(status)) return held("broker", `refused with ${status}`);
      if (!reply.includes('"seen"')) return untried("the stand-in did not say what it saw");
      return /"upgrade":/.test(reply)
        ? through("the wish to upgrade reached the service")
        : held("broker", "forwarded without the upgrade");
    }),
};
