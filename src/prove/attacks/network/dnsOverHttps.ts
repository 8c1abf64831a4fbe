import type { Attack } from "../../Attack.ts";
import { say } from "../../inside/calls.ts";
import { held, through, tryEach } from "../../inside/findings.ts";
import { layerOfConnect, reachAddress } from "../../inside/sockets.ts";

const SERVERS = { "1.1.1.1": "cloudflare-dns.com", "8.8.8.8": "dns.google" } as const;

export const dnsOverHttps: Attack = {
  name: "dns-over-https",
  group: "network",
  tries: "resolve names over HTTPS with public resolvers",
  run: ({ tag }) =>
    tryEach(Object.entries(SERVERS), ([address, host]) =>
      reachAddress(address, async () => {
        const call = {
          host,
          port: 443,
          tls: true,
          method: "GET",
          path: "/",
          headers: {},
          phantom: "",
        };
        const asked = `GET /dns-query?name=${tag}.example.com HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
        const { reply, error } = await say(call, asked, { address });
        if (reply !== "") return through(`${host} answered`);
        if (error === "ECONNREFUSED" || error === "EACCES")
          return held(layerOfConnect(error), `${address}: ${error}`);
        return held(
          "broker",
          `${address}: the broker ended the connection, ${error ?? "no answer"}`,
        );
      }),
    ),
};
