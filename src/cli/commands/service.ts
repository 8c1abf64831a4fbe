import { catalogue } from "../../catalogue/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { UsageError } from "../UsageError.ts";
import { cataloguePage } from "./service/cataloguePage.ts";
import { describeService } from "./service/describeService.ts";
import type { DeclaredServices } from "./service/readDeclared.ts";

export const service: Command = {
  name: "service",
  usage: "list | show NAME | new NAME | page",
  summary: "the services that bots can be granted",
  help: [
    "list        every service of the catalogue, and those that the declaration here has of its own",
    "show NAME   what a grant of it allows, and where its key goes, in plain words; and what the bots of",
    "            the declaration here may do with it",
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
    file: {
      type: "string",
      value: "FILE",
      help: "list, show: the declaration, if not the usual one",
    },
  },
  words: { least: 1, most: 2 },
  run: async (call) => {
    const { words, output } = call;
    const [verb, name] = words;
    const entries = [...catalogue.values()];
    if (verb === "list" && name === undefined) return list(call);
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
    return show(call, name);
  },
};

async function list(call: Call): Promise<ExitStatus> {
  const { entries } = await declaredOf(call);
  const all = [...catalogue.values(), ...entries.values()];
  if (call.json) call.output.json({ services: all.map(({ name, title }) => ({ name, title })) });
  else for (const { name, title } of all) call.output.line(`${name.padEnd(16)}${title}`);
  return 0;
}

async function show(call: Call, name: string): Promise<ExitStatus> {
  const { file, faulty, entries, grantsOf } = await declaredOf(call);
  const entry = catalogue.get(name) ?? entries.get(name);
  if (entry === undefined) {
    // It may be one of the declaration's own.
    if (faulty !== undefined) throw faulty;
    throw new UsageError(
      `there is no service "${name.slice(0, 40)}"`,
      "type: seawall service list",
    );
  }
  const granted = grantsOf(name);
  if (call.json) {
    const bots = Object.fromEntries(granted.map(({ bot, grant }) => [bot, grant]));
    call.output.json({ ...entry, ...(file === undefined ? {} : { declaration: file, bots }) });
    return 0;
  }
  for (const line of describeService(entry)) call.output.line(line);
  const { describeGrant } = await import("./service/describeGrant.ts");
  for (const each of granted)
    for (const line of ["", ...describeGrant(entry, each)]) call.output.line(line);
  if (file !== undefined && granted.length === 0) {
    call.output.line("");
    call.output.line(`No bot of ${file} is granted it.`);
  }
  return 0;
}

/** Loaded where it is wanted, since it brings the plan. */
async function declaredOf(call: Call): Promise<DeclaredServices> {
  const { readDeclared } = await import("./service/readDeclared.ts");
  const declared = readDeclared(call.value("file"), process.env);
  if (declared.faulty !== undefined)
    call.output.progress(
      "the declaration here has faults, so nothing is said of it: seawall check",
    );
  return declared;
}

/** Loaded where it is wanted: it brings the plan. */
async function makeNew(call: Call, name: string): Promise<ExitStatus> {
  const { newService } = await import("./service/newService.ts");
  return newService(call, name);
}
