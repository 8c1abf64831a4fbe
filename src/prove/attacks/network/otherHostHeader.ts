import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "../../inside/calls.ts";

export const otherHostHeader: Attack = {
  name: "domain-fronting",
  group: "network",
  tries: "name a granted host in TLS and another in the Host header",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, async (call) =>
      refusedByBroker(
        await say(call, request(call, { host: "fronted.invalid", headers: { "x-prove": tag } })),
      ),
    ),
};
