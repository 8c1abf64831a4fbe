import type { Attack } from "../../Attack.ts";
import { askOverTcp, question, readAnswer, RECORD } from "../../inside/dns.ts";
import { held, through, tryEach } from "../../inside/findings.ts";
import { ask, layerOfConnect, reachAddress } from "../../inside/sockets.ts";

export const dnsOtherServer: Attack = {
  name: "dns-other-server",
  group: "network",
  tries: "ask public resolvers instead of its own, over UDP and TCP",
  run: ({ tag }) =>
    tryEach(["8.8.8.8", "9.9.9.9"], (server) =>
      reachAddress(server, () =>
        tryEach(["UDP", "TCP"], async (protocol) => {
          const asked = question(`${tag}.example.com`, RECORD.A);
          const { reply, error } =
            protocol === "UDP" ? await ask(server, 53, asked) : await askOverTcp(server, asked);
          if (reply === undefined) return held(layerOfConnect(error ?? ""), `${server}: ${error}`);
          const { code, records } = readAnswer(reply);
          if (code === 0 && records > 0) return through(`${server} answered over ${protocol}`);
          return held(
            "broker",
            `${server} over ${protocol}: the broker's own answer, code ${code}`,
          );
        }),
      ),
    ),
};
