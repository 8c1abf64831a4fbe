import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "../../inside/calls.ts";
import { inapplicable } from "../../inside/findings.ts";

export const neighbourPhantom: Attack = {
  name: "neighbour-phantom",
  group: "other bots",
  tries: "make a call with another bot's phantom",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, async (call) => {
      const { phantom } = field.neighbour;
      if (phantom === undefined) return inapplicable("there is no other bot with a phantom");
      const swap = (text: string): string => text.replaceAll(call.phantom, phantom);
      const headers = Object.fromEntries(
        Object.entries(call.headers).map(([name, value]) => [name, swap(value)]),
      );
      const said = request(
        { ...call, headers },
        { path: swap(call.path), headers: { "x-prove": tag } },
      );
      return refusedByBroker(await say(call, said));
    }),
};
