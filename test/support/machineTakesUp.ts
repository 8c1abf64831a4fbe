import { AgentFiles } from "../../src/agents/AgentFiles.ts";
import { awaitTakenUp } from "../../src/agents/awaitTakenUp.ts";
import { renderLive } from "../../src/agents/renderLive.ts";
import { gatewayLog } from "../../src/host/index.ts";

/**
 * Runs inside a machine: writes what its gateway reads of agents, one of this name or none, and ends when the
 * gateway has said in the journal that it took that up.
 */
const [name] = process.argv.slice(2);
const BOT = "basecamp";
const log = await gatewayLog(BOT, 18_789);
if (log === undefined) throw new Error("the gateway doesn't answer");
const files = new AgentFiles("/var/lib/seawall/system", BOT);
const agents =
  name === undefined
    ? []
    : [
        {
          name,
          created: new Date().toISOString(),
          mark: "test",
          repository: { kind: "path", url: "/srv/git/deck.git" } as const,
        },
      ];
files.write("live/agents.json", renderLive(agents, "/srv/bot"), 0o644);
await awaitTakenUp({ log, record: () => "" }, BOT, { agent: name ?? "deck" });
