import type { Attack } from "../../Attack.ts";
import { exchange } from "../../inside/sockets.ts";
import { held, inapplicable, through, tryEach } from "../../inside/findings.ts";

export const explicitProxy: Attack = {
  name: "explicit-proxy",
  group: "network",
  tries: "have the broker's proxy port connect to hosts and addresses that no grant has",
  run: ({ field, tag }) => {
    const port = field.broker?.proxyPort;
    if (port === undefined) return inapplicable("there is no proxy port");
    const hosts = [
      "elsewhere.invalid:443",
      "169.254.169.254:80",
      `127.0.0.1:${field.loopback.tcp}`,
    ];
    return tryEach(hosts, async (host) => {
      const said = `CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\nx-prove: ${tag}\r\n\r\n`;
      const { reply, error } = await exchange({ host: "127.0.0.1", port }, said);
      const status = /^HTTP\/1\.1 (\d+)/.exec(reply)?.[1];
      if (status !== undefined && status.startsWith("2")) return through(`${host}: ${status}`);
      return held("broker", `${host}: ${status ?? error ?? "ended"}`);
    });
  },
};
