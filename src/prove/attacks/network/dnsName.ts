import type { Attack } from "../../Attack.ts";
import { nameServers, question, readAnswer, RECORD } from "../../inside/dns.ts";
import { held, through, tryEach, untried } from "../../inside/findings.ts";
import { ask, layerOfConnect, reachAddress } from "../../inside/sockets.ts";

/** Names under .invalid are answered by every resolver itself (RFC 6761 section 6.4). */
const ZONE = "invalid";

export const dnsName: Attack = {
  name: "dns-name",
  group: "network",
  tries: "carry data out in the names it asks its resolver for, also below granted hosts",
  run: ({ field, tag }) => {
    const servers = nameServers();
    if (servers.length === 0) return held("mount namespace", "no resolver is configured");
    const zones = [ZONE, ...(field.broker?.hosts ?? []).map((host) => host.replace(/:\d+$/, ""))];
    return tryEach(servers, (server) =>
      reachAddress(server, () =>
        tryEach(field.broker === undefined ? [ZONE] : zones, async (zone) => {
          const name = `${tag}.${zone}`;
          const { reply, error } = await ask(server, 53, question(name, RECORD.A));
          if (reply === undefined)
            return error === "ETIMEDOUT"
              ? untried(`${server} says nothing`)
              : held(layerOfConnect(error ?? ""), `${server}: ${error}`);
          const { code, records } = readAnswer(reply);
          if (code === 0 && records > 0) return through(`${name} was answered`);
          if (field.broker === undefined) return through(`${server} took the question`);
          return held("broker", `${zone}: answered by itself with code ${code}`);
        }),
      ),
    );
  },
};
