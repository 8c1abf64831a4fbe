import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "../../inside/calls.ts";
import { tryEach } from "../../inside/findings.ts";

export const dotSegments: Attack = {
  name: "dot-segments",
  group: "network",
  tries: "leave the granted paths by dots, encoded slashes and backslashes",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, (call) => {
      const [path = "/"] = call.path.split("?");
      const tails = [
        "/../../../admin",
        "/%2e%2e/%2e%2e/admin",
        "/..%2f..%2fadmin",
        "/..\\..\\admin",
      ];
      return tryEach(tails, async (tail) =>
        refusedByBroker(
          await say(call, request(call, { path: path + tail, headers: { "x-prove": tag } })),
        ),
      );
    }),
};
