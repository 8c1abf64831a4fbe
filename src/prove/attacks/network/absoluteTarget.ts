import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "../../inside/calls.ts";

export const absoluteTarget: Attack = {
  name: "absolute-target",
  group: "network",
  tries: "send a request for another host's whole URL",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, async (call) =>
      refusedByBroker(
        await say(
          call,
          request(call, { path: "https://elsewhere.invalid/", headers: { "x-prove": tag } }),
        ),
      ),
    ),
};
