import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { catalogue } from "../../../catalogue/index.ts";
import { checkService } from "../../../plan/index.ts";
import { writeFileAtomic } from "../../../files/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { UsageError } from "../../UsageError.ts";
import { cataloguePage } from "./cataloguePage.ts";
import { describeService } from "./describeService.ts";
import { constantOf, printEntry, printTest } from "./printSource.ts";
import { entryOf, type ServiceDraft } from "./ServiceDraft.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const FOLDER = join(ROOT, "src/catalogue");

/** Each thing that is asked, the flag that says it, and what it is if nobody does. */
const QUESTIONS = {
  title: "what it is called",
  url: "its address, as https://api.example.com (empty: everybody runs their own)",
  key: "where its key goes: bearer, header NAME, basic, query NAME, none",
  call: "a call that bots may make, as GET /api/v1/items/** (empty: no more)",
  variable: "the environment variable in which its clients look for the key",
} as const;

/**
 * `seawall service new NAME`: describes a service that the catalogue doesn't have, in a file of its own with a test
 * and a line in the list. It is there from the next call on.
 */
export async function newService(call: Call, name: string): Promise<ExitStatus> {
  if (!/^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(name))
    throw new UsageError(
      "a service's name has lower-case letters, digits and hyphens, at most 32",
      "as sea-weather",
    );
  const constant = constantOf(name);
  const file = join(FOLDER, `${constant}.ts`);
  if (catalogue.has(name) || existsSync(file))
    throw new UsageError(
      `there is a service "${name}" already`,
      `look at it: seawall service show ${name}`,
    );
  const draft = await askDraft(call, name);
  const entry = entryOf(draft);
  if (typeof entry === "string") throw new UsageError(entry, "type: seawall service --help");
  const faults = checkService(entry);
  const [fault] = faults;
  if (fault !== undefined)
    throw new UsageError(fault.message, fault.hint ?? "type: seawall service --help");
  if (call.flag("print")) {
    call.output.line(printEntry(entry, constant).trimEnd());
    return 0;
  }
  // The list last: until then nothing has changed.
  writeFileAtomic(file, printEntry(entry, constant), 0o644);
  writeFileAtomic(join(FOLDER, `${constant}.test.ts`), printTest(entry, constant), 0o644);
  const list = join(FOLDER, "index.ts");
  writeFileAtomic(list, withLine(readFileSync(list, "utf8"), constant), 0o644);
  const page = join(ROOT, "docs/catalogue.md");
  const all = [...catalogue.values(), entry].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (existsSync(page)) writeFileSync(page, cataloguePage(all));
  if (call.json) call.output.json({ ok: true, name, file, entry });
  else {
    for (const line of describeService(entry)) call.output.line(line);
    call.output.line("");
    call.output.line(
      `It stands in src/catalogue/${constant}.ts. Try it: ./dev test src/catalogue/${constant}.test.ts`,
    );
    if (entry.keyless !== true) call.output.line(`Store its key: seawall secret set ${name}`);
  }
  return 0;
}

/** The list of the catalogue with one entry more: its import, and its name in order. */
export function withLine(list: string, constant: string): string {
  const lines = list.split("\n");
  const imports = lines.findIndex((line) => line.startsWith("import type { ServiceEntry }"));
  lines.splice(imports, 0, `import { ${constant} } from "./${constant}.ts";`);
  const begin = lines.findIndex((line) => line.includes("ENTRIES: readonly ServiceEntry[]"));
  const end = lines.findIndex((line, at) => at > begin && line === "];");
  const at = lines.findIndex(
    (line, index) => index > begin && index < end && line.trim() > `${constant},`,
  );
  lines.splice(at < 0 ? end : at, 0, `  ${constant},`);
  return lines.join("\n");
}

async function askDraft(call: Call, name: string): Promise<ServiceDraft> {
  const terminal = process.stdin.isTTY && process.stderr.isTTY;
  const ask = terminal
    ? createInterface({ input: process.stdin, output: process.stderr })
    : undefined;
  /** @param usual what it is if nobody says; `undefined` where somebody has to. */
  const say = async (flag: keyof typeof QUESTIONS, usual?: string): Promise<string> => {
    const given = call.value(flag);
    if (given !== undefined) return given.trim();
    const shown = usual === undefined || usual === "" ? "" : ` [${usual}]`;
    const typed = (await ask?.question(`${QUESTIONS[flag]}${shown}: `))?.trim();
    if (typed !== undefined && typed !== "") return typed;
    if (usual !== undefined) return usual;
    if (typed !== undefined) return "";
    throw new UsageError(`it isn't said ${QUESTIONS[flag]}`, `add --${flag} …`);
  };
  try {
    const title = await say("title", name);
    const url = await say("url");
    const key = await say("key");
    const calls = [...call.values("call")];
    while (call.values("call").length === 0) {
      const more = await say("call", ask === undefined ? undefined : "");
      if (more === "") break;
      calls.push(more);
    }
    if (calls.length === 0) throw new UsageError("no call is allowed", 'add --call "GET /**"');
    const variable = await say("variable", `${name.toUpperCase().replaceAll("-", "_")}_API_KEY`);
    return { name, title, url: url.replace(/\/$/, ""), key, calls, variable };
  } finally {
    ask?.close();
  }
}
