import type { Attack } from "../../Attack.ts";
import { nameServers, question, readAnswer, RECORD } from "../../inside/dns.ts";
import { held, through, tryEach, untried } from "../../inside/findings.ts";
import { ask, layerOfConnect, reachAddress } from "../../inside/sockets.ts";

export const dnsTxt: Attack = {
  name: "dns-txt",
  group: "network",
  tries: "take data in from TXT records",
  run: ({ field, tag }) => {
    const servers = nameServers();
    if (servers.length === 0) return held("mount namespace", "no resolver is configured");
    const granted = field.broker?.hosts.map((host) => host.replace(/:\d+$/, "")) ?? [];
    return tryEach(servers, (server) =>
      reachAddress(server, () =>
        tryEach([`${tag}.invalid`, ...granted], async (name) => {
          const { reply, error } = await ask(server, 53, question(name, RECORD.TXT));
          if (reply === undefined)
            return error === "ETIMEDOUT"
              ? untried(`${server} says nothing`)
              : held(layerOfConnect(error ?? ""), `${server}: ${error}`);
          const { code, records } = readAnswer(reply);
          if (records > 0) return through(`${name} has ${records} TXT records`);
          if (field.broker === undefined) return through(`${server} took the question`);
          return held("broker", `no TXT record for anything, code ${code}`);
        }),
      ),
    );
  },
};
