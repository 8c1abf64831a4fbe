import type { Attack } from "../../Attack.ts";
import { onGrantedCall, request, say } from "../../inside/calls.ts";
import { held, through, untried } from "../../inside/findings.ts";
import { memoryHasMarker } from "../../inside/processes.ts";

export const ownMemory: Attack = {
  name: "own-memory",
  group: "secrets",
  tries: "find the real credential in its own memory after a call that used it",
  run: ({ field }) =>
    onGrantedCall(field.broker, async (call) => {
      const { reply } = await say(call, request(call));
      if (!reply.startsWith("HTTP/1.1 200")) return untried("the granted call failed");
      if (memoryHasMarker(process.pid)) return through("the credential is in its memory");
      return held("broker", "the call was made, and memory has the phantom only");
    }),
};
