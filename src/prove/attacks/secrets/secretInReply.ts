import type { Attack } from "../../Attack.ts";
import { onGrantedCall, request, say } from "../../inside/calls.ts";
import { carriesMarker } from "../../inside/carriesMarker.ts";
import { held, through, untried } from "../../inside/findings.ts";

export const secretInReply: Attack = {
  name: "secret-in-reply",
  group: "secrets",
  tries: "have a granted service send the credential back, plain and encoded",
  run: ({ field }) =>
    onGrantedCall(field.broker, async (call) => {
      const { reply, error } = await say(call, request(call));
      if (!reply.startsWith("HTTP/1.1 200"))
        return untried(`the granted call failed: ${error ?? reply.split("\r\n", 1).join("")}`);
      if (carriesMarker(reply)) return through("the reply had the credential");
      return held("broker", "the call was made, and the reply has the phantom in its place");
    }),
};
