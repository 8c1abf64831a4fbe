import type { Attacker, Finding } from "../Attack.ts";
import { onGrantedCall, refusedByBroker, request, say } from "./calls.ts";

/** Sends a granted call whose body holds another request, framed so that two servers may disagree. */
export function smuggle(
  { field, tag }: Attacker,
  frame: (second: string) => { readonly headers: Record<string, string>; readonly body: string },
): Promise<Finding> {
  return onGrantedCall(field.broker, async (call) => {
    const second = `GET /${tag} HTTP/1.1\r\nhost: ${call.host}\r\nx-prove: ${tag}\r\n\r\n`;
    const { headers, body } = frame(second);
    return refusedByBroker(await say(call, request(call, { method: "POST", headers }) + body));
  });
}
