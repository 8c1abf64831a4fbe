import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "../../inside/calls.ts";
import { inapplicable } from "../../inside/findings.ts";

export const otherServerName: Attack = {
  name: "other-server-name",
  group: "network",
  tries: "name another host in TLS than the one it dialled and names in its request",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, async (call) => {
      if (!call.tls) return inapplicable("the granted call goes without TLS");
      const said = request(call, { headers: { "x-prove": tag } });
      return refusedByBroker(await say(call, said, { serverName: "other.invalid" }));
    }),
};
