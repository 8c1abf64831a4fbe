import { catalogue, type ServiceEntry } from "../../catalogue/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { UsageError } from "../UsageError.ts";
import { cataloguePage } from "./service/cataloguePage.ts";
import { describeService } from "./service/describeService.ts";

export const service: Command = {
  name: "service",
  usage: "list | show NAME | new NAME | page",
  summary: "the services that bots can be granted",
  help: [
    "list        every service of the catalogue",
    "show NAME   what a grant of it allows, and where its key goes, in plain words",
    "new NAME    describes one that isn't there: asks for what the options below don't say, and",
    "            writes its file, a test with a stand-in, and its line in the list",
    "page        the whole catalogue, as in docs/catalogue.md",
    "",
    "Agents without another client call it by the command NAME-api, where a bot's exec.allow names that.",
    "",
    'A service for one deployment alone is declared under "services", see docs/declaration.md.',
  ].join("\n"),
  options: {
    title: { type: "string", value: "TEXT", help: "new: what it is called" },
    url: {
      type: "string",
      value: "URL",
      help: 'new: its address; "" where everybody runs their own',
    },
    key: {
      type: "string",
      value: "PLACE",
      help: "new: bearer, header NAME, basic, query NAME or none",
    },
    call: {
      type: "string",
      multiple: true,
      value: "CALL",
      help: 'new: a call that is allowed, as "GET /items/**"; may be repeated',
    },
    variable: { type: "string", value: "NAME", help: "new: where its clients look for the key" },
    print: { type: "boolean", help: "new: prints the file and writes nothing" },
  },
  words: { least: 1, most: 2 },
  run: async (call) => {
    const { words, output, json } = call;
    const [verb, name] = words;
    const entries = [...catalogue.values()];
    if (verb === "list" && name === undefined) {
      if (json)
        output.json({
          services: entries.map((entry) => ({ name: entry.name, title: entry.title })),
        });
      else for (const entry of entries) output.line(`${entry.name.padEnd(16)}${entry.title}`);
      return 0;
    }
    if (verb === "page" && name === undefined) {
      output.line(cataloguePage(entries).trimEnd());
      return 0;
    }
    if (verb === "new" && name !== undefined) return makeNew(call, name);
    if (verb !== "show" || name === undefined) {
      throw new UsageError(
        `usage: seawall service ${service.usage}`,
        "type: seawall service --help",
      );
    }
    const entry = knownEntry(name);
    if (json) output.json(entry);
    else for (const line of describeService(entry)) output.line(line);
    return 0;
  },
};

/** Loaded where it is wanted: it brings the plan. */
async function makeNew(call: Call, name: string): Promise<ExitStatus> {
  const { newService } = await import("./service/newService.ts");
  return newService(call, name);
}

function knownEntry(name: string): ServiceEntry {
  const entry = catalogue.get(name);
  if (entry !== undefined) return entry;
  throw new UsageError(`there is no service "${name.slice(0, 40)}"`, "type: seawall service list");
}
