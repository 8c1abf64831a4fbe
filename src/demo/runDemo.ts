import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeFolder } from "../files/index.ts";
import {
  applyGeneration,
  askSupervisor,
  loadDeclaration,
  prepareGeneration,
  statePaths,
  stopDeployment,
  type StatePaths,
  type SupervisorStatus,
} from "../host/index.ts";
import { freePort } from "../run/index.ts";
import { createVault, SecretValue } from "../secrets/index.ts";
import { DemoError } from "./DemoError.ts";
import { findValues, type FinderReport } from "./finder.ts";
import { processesInside } from "./processesInside.ts";
import { startStandIns, type StandIns } from "./startStandIns.ts";

/** What `seawall demo --json` prints. */
export interface DemoReport {
  /** The reply came, no real value was found, and the same search found the worthless one that the bot has. */
  readonly ok: boolean;
  readonly reply: string;
  /** Version that ran. */
  readonly openclaw: string;
  readonly searched: Pick<FinderReport, "processes" | "bytesOfMemory" | "files" | "environments">;
  /** What could not be looked at, in words; counted, never passed over in silence. */
  readonly unread: readonly string[];
  /** Name of the value and where it was, never the value. */
  readonly found: FinderReport["found"];
  /** In how many places the search, to show that it searches, found the phantom of the model's key. */
  readonly phantomIn: number;
  /** Each mechanism of the bot's wall and how far it is enforced. */
  readonly wall: Readonly<Record<string, string>>;
  readonly seconds: number;
}

export interface DemoOptions {
  readonly openclaw: string;
  /** Where programs are kept; the demo's own state is thrown away. */
  readonly store: string;
  readonly onProgress: (text: string) => void;
}

const PHANTOM = "phantom";
const QUESTION = "Which word comes after pebble?";
const REPLY_MS = 180_000;

/**
 * The main job, from nothing to a report: a vault with random keys, stand-ins that take only those
 * keys, a real OpenClaw behind the wall, a message and its reply through Telegram, and a search for
 * the keys in everything the bot has. Leaves nothing behind, whatever happens.
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "seawall-demo-"));
  // Bots have uids of their own when this runs as root; they have to get to their own folder.
  chmodSync(folder, 0o711);
  const values = [
    { name: "anthropic key", value: `sk-ant-api03-${token(93)}AA` },
    { name: "telegram token", value: `7${digits(9)}:AA${token(33)}` },
  ] as const;
  let standIns: StandIns | undefined;
  const paths = statePaths(
    { ...process.env, SEAWALL_STATE: join(folder, "state"), SEAWALL_STORE: options.store },
    process.getuid?.() ?? -1,
  );
  try {
    standIns = await startStandIns({
      anthropicKey: values[0].value,
      telegramToken: values[1].value,
    });
    options.onProgress("local stand-ins for Anthropic and Telegram take two keys made up just now");
    await storeKeys(paths, values);
    const file = join(folder, "seawall.json5");
    await writeDeclaration(file, folder, standIns, options.openclaw);
    const status = await start(file, paths, options);
    const reply = await converse(standIns, options.onProgress);
    const report = await search(status, values, options.onProgress);
    const found = report.found.filter(({ name }) => name !== PHANTOM);
    const phantomIn = report.found.length - found.length;
    return {
      ok: found.length === 0 && phantomIn > 0,
      reply,
      openclaw: options.openclaw,
      searched: {
        processes: report.processes,
        bytesOfMemory: report.bytesOfMemory,
        files: report.files,
        environments: report.environments,
      },
      unread: report.unread,
      found,
      phantomIn,
      wall: Object.fromEntries(
        (status.bots[0]?.wall ?? []).map(({ mechanism, state }) => [mechanism, state]),
      ),
      seconds: Math.round((performance.now() - began) / 100) / 10,
    };
  } finally {
    await stopDeployment(paths).catch(() => undefined);
    await standIns?.close();
    removeFolder(folder);
  }
}

async function storeKeys(
  paths: StatePaths,
  values: readonly { readonly name: string; readonly value: string }[],
): Promise<void> {
  const vault = await createVault({ file: paths.vault.file, identity: paths.vault.identity });
  for (const { name, value } of values) {
    await vault.set(name.split(" ", 1).join(""), new SecretValue(value));
  }
}

/** The grants name where to dial and whom to trust there, as they would on a company's network. */
async function writeDeclaration(
  file: string,
  folder: string,
  { caPem, anthropic, telegram }: StandIns,
  openclaw: string,
): Promise<void> {
  writeFileSync(join(folder, "stand-ins.pem"), caPem);
  const dial = ({ host, port }: { host: string; port: number }): object => ({
    host,
    port,
    ca: "stand-ins.pem",
  });
  const declaration = {
    seawall: 1,
    secrets: { anthropic: { vault: "anthropic" }, telegram: { vault: "telegram" } },
    bots: {
      demo: {
        openclaw,
        model: "anthropic/claude-sonnet-4-6",
        grants: {
          anthropic: { secret: "anthropic", dial: dial(anthropic) },
          telegram: { secret: "telegram", allowFrom: [telegram.userId], dial: dial(telegram) },
        },
        port: await freePort(),
      },
    },
  };
  writeFileSync(file, `${JSON.stringify(declaration, null, 2)}\n`);
}

async function start(
  file: string,
  paths: StatePaths,
  { onProgress }: DemoOptions,
): Promise<SupervisorStatus> {
  const loaded = loadDeclaration(file, {});
  const prepared = await prepareGeneration(loaded, paths, onProgress);
  await applyGeneration(paths, prepared, { onProgress });
  const reply = await askSupervisor(paths, { verb: "status" });
  if (reply.kind !== "status") throw new DemoError("no-process", "the supervisor gave no status");
  return reply.status;
}

async function converse(standIns: StandIns, onProgress: (text: string) => void): Promise<string> {
  onProgress(`a Telegram user writes: ${QUESTION}`);
  standIns.telegram.sendAsUser(QUESTION);
  const reply = await standIns.telegram.nextReply(REPLY_MS);
  onProgress(`the bot answers: ${reply}`);
  return reply;
}

async function search(
  status: SupervisorStatus,
  values: readonly { readonly name: string; readonly value: string }[],
  onProgress: (text: string) => void,
): Promise<FinderReport> {
  const pid = status.bots[0]?.pid;
  if (pid === undefined) throw new DemoError("no-process", "the bot has no process to search");
  onProgress("searching the bot's processes and files for both keys");
  const phantom = { name: PHANTOM, value: phantomOf(pid) };
  return findValues({ pids: processesInside(pid), values: [...values, phantom], onProgress });
}

/** What the bot has in place of the model's key. */
function phantomOf(pid: number): string {
  const variable = "ANTHROPIC_API_KEY=";
  const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  const line = environment.find((each) => each.startsWith(variable));
  if (line === undefined) throw new DemoError("no-process", "the bot was given no key at all");
  return line.slice(variable.length);
}

function token(length: number): string {
  return randomBytes(length).toString("base64url").slice(0, length);
}

function digits(length: number): string {
  return Array.from(randomBytes(length), (byte) => String(byte % 10)).join("");
}
