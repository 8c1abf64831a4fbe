import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "../../inside/calls.ts";

export const otherAddress: Attack = {
  name: "other-address",
  group: "network",
  tries: "make a granted call at an address that no grant has",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, async (call) => {
      const said = request(call, { headers: { "x-prove": tag } });
      return refusedByBroker(await say(call, said, { address: "203.0.113.77" }));
    }),
};
