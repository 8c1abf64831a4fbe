import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "../../inside/calls.ts";

export const smuggleLineFeed: Attack = {
  name: "smuggle-line-feed",
  group: "network",
  tries: "hide a second request in a header, behind bare line feeds",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, async (call) => {
      const hidden = `a\n\nGET /${tag} HTTP/1.1\nhost: ${call.host}\n\n`;
      return refusedByBroker(await say(call, request(call, { headers: { "x-note": hidden } })));
    }),
};
