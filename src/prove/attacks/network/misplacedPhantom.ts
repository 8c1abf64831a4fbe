import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "../../inside/calls.ts";

export const misplacedPhantom: Attack = {
  name: "misplaced-phantom",
  group: "network",
  tries: "have the credential put where the service would show it to others",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, async (call) =>
      refusedByBroker(
        await say(call, request(call, { headers: { "x-note": call.phantom, "x-prove": tag } })),
      ),
    ),
};
