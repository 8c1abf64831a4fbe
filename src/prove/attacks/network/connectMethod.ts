import type { Attack } from "../../Attack.ts";
import { onGrantedCall, refusedByBroker, say } from "../../inside/calls.ts";
import { tryEach } from "../../inside/findings.ts";

export const connectMethod: Attack = {
  name: "connect-method",
  group: "network",
  tries: "use a granted host as a proxy: CONNECT inside TLS and without it",
  run: ({ field, tag }) =>
    onGrantedCall(field.broker, (call) =>
      tryEach([call, { ...call, tls: false }], async (way) =>
        refusedByBroker(
          await say(
            way,
            `CONNECT elsewhere.invalid:443 HTTP/1.1\r\nhost: elsewhere.invalid:443\r\nx-prove: ${tag}\r\n\r\n`,
          ),
        ),
      ),
    ),
};
