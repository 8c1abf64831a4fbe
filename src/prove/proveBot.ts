import { randomUUID } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureAuthority, issueLeaf } from "../authority/index.ts";
import {
  auditFile,
  INSIDE,
  prepareGeneration,
  SERVICE_INSIDE,
  serviceSurroundings,
  startCopy,
  startServiceCopy,
  statePaths,
  type Copy,
  type Generation,
  type InsidePaths,
  type LoadedDeclaration,
  type StatePaths,
} from "../host/index.ts";
import type { Plan } from "../plan/index.ts";
import { freePort } from "../run/index.ts";
import { createVault, SecretValue } from "../secrets/index.ts";
import type { ResourceLimits, WallSpec } from "../wall/index.ts";
import { chooseAttacks } from "./chooseAttacks.ts";
import { botField } from "./botField.ts";
import { copyGeneration, neighbourName } from "./copyGeneration.ts";
import { attackAddon, makeBundle } from "./makeBundle.ts";
import { ProveError } from "./ProveError.ts";
import { makeReport, type ProveReport } from "./ProveReport.ts";
import { startServices } from "./range/standIns.ts";
import { startRange } from "./range/startRange.ts";
import { makeMarker, Witness } from "./range/Witness.ts";
import { runAttacks, type Outcome } from "./runAttacks.ts";
import { runningOf } from "./runningOf.ts";

/** Whose wall: that of a declaration, as `seawall up` makes it, or that of services that systemd runs. */
export type Subject =
  | { readonly kind: "declaration"; readonly loaded: LoadedDeclaration }
  | { readonly kind: "services"; readonly generation: Generation };

export interface ProveBotOptions {
  readonly subject: Subject;
  /** The only one there is if absent. */
  readonly bot: string | undefined;
  /** Of the deployment: programs are taken from its store, and what it keeps is attacked. */
  readonly paths: StatePaths;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
  readonly only?: readonly string[];
}

/** Where the addon lies inside: the one file that the copy has and the bot hasn't. */
const ADDON_INSIDE = "/opt/seawall-prove/attack.node";
const BUNDLE = "prove";
/** Bytes; the attacks themselves need a tenth of it. */
const MEMORY = 1024 ** 3;
/** Twice the size of a log and some; what is written on top of that must not stay. */
const LOG_BYTES = 24 * 1024 * 1024;
const FLOOD_BYTES = 48 * 1024 * 1024;

/**
 * Attacks a bot's wall from inside: a copy of it, compiled from the same plan and started by the
 * same code, with a broker of its own that gives out markers and calls stand-ins.
 *
 * @throws ProveError; whatever preparing a generation throws.
 */
export async function proveBot(options: ProveBotOptions): Promise<ProveReport> {
  const began = performance.now();
  const chosen = chooseAttacks(options.only);
  const { subject, onProgress, signal } = options;
  const services = subject.kind === "services";
  const inside = services ? SERVICE_INSIDE : INSIDE;
  const given = services ? subject.generation : subject.loaded;
  const bot = chooseBot(given.plan, options.bot);
  const prepared = await prepare(subject, bot, options);
  signal.throwIfAborted();
  if (!services && prepared.bots[bot]?.shared === true)
    throw new ProveError("needs-namespaces", `a copy of "${bot}" can't be attacked on this host`, {
      hint: `it runs without user namespaces, which its declaration concedes: what that leaves is in docs/wall.md, and status says it`,
    });
  await using closing = new AsyncDisposableStack();
  // A unit has a /tmp of its own, which comes over the machine's.
  const folder = mkdtempSync(join(services ? "/run" : tmpdir(), "seawall-prove-state-"));
  closing.defer(() => rmSync(folder, { recursive: true, force: true }));
  // Bots have uids of their own when this runs as root; they have to get to their own folder.
  chmodSync(folder, 0o711);
  const addon = join(folder, "attack.node");
  copyFileSync(attackAddon(), addon);
  chmodSync(addon, 0o555);
  const paths = copyPaths(folder, options.paths);
  const witness = new Witness();
  const { generation, secrets, close } = await furnish(prepared, bot, paths, witness);
  const waiting = waitingMessage(neighbourName(bot));
  if (!services) plantMessage(paths, waiting.line);
  closing.defer(close);
  let limits: ResourceLimits = {};
  const copied = {
    generation,
    bot,
    paths,
    alter: (spec: WallSpec): WallSpec => {
      const altered = alter(spec, addon, inside);
      ({ limits } = altered);
      return altered;
    },
  };
  const copy = await (services
    ? startServiceCopy({ ...copied, bridgeLog: waiting.line })
    : startCopy({ ...copied, users: options.paths.users }));
  closing.defer(() => copy.stop());
  const range = await startRange({ node: prepared.programs.node, uid: copy.uid, witness });
  closing.defer(() => range.close());
  const bundle = makeBundle(join(copy.home, BUNDLE));
  const field = await botField({
    range,
    copy,
    generation,
    bot,
    addon: ADDON_INSIDE,
    state: paths,
    deployment: options.paths,
    declaration: services ? subject.generation.declaration : subject.loaded.file,
    limits,
    floodBytes: FLOOD_BYTES,
    inside,
    waiting: waiting.id,
    services: await serviceSurroundings(options.paths),
  });
  const outcomes = await runAttacks({
    attacks: chosen,
    field,
    job: bundle.job,
    witness,
    markers: [range.marker, ...secrets, waiting.marker],
    launch: () => runningOf(copy.launch()),
    onProgress,
    signal,
  });
  return makeReport(
    outcomes.map((outcome) => judgeLog(outcome, copy)),
    began,
  );
}

/** What the copy is made from. Services were prepared when they were switched to. */
async function prepare(
  subject: Subject,
  bot: string,
  { paths, onProgress }: ProveBotOptions,
): Promise<Omit<Generation, "number">> {
  if (subject.kind === "services") return subject.generation;
  const { loaded } = subject;
  const plan = { ...loaded.plan, bots: loaded.plan.bots.filter(({ name }) => name === bot) };
  return prepareGeneration({ ...loaded, plan }, paths, onProgress);
}

function chooseBot({ bots }: Plan, given: string | undefined): string {
  const names = bots.map(({ name }) => name);
  const [first] = names;
  if (given === undefined && first !== undefined && names.length === 1) return first;
  if (given !== undefined && names.includes(given)) return given;
  const message =
    given === undefined
      ? `the declaration has ${names.length === 0 ? "no bot" : "several bots"}`
      : `there is no bot "${given.slice(0, 40)}"`;
  throw new ProveError("no-such-bot", message, {
    hint: names.length === 0 ? "declare one" : `name one of: ${names.join(", ")}`,
  });
}

/** A state folder for the copy; programs stay where they are. */
function copyPaths(folder: string, { store }: StatePaths): StatePaths {
  const state = join(folder, "state");
  mkdirSync(state);
  chmodSync(state, 0o711);
  const paths = statePaths(
    { SEAWALL_STATE: state, SEAWALL_STORE: store },
    process.getuid?.() ?? -1,
  );
  mkdirSync(paths.bots);
  chmodSync(paths.bots, 0o711);
  return paths;
}

/** Secrets in a vault and the services that take them. */
async function furnish(
  prepared: Omit<Generation, "number">,
  bot: string,
  paths: StatePaths,
  witness: Witness,
): Promise<{
  readonly generation: Generation;
  readonly secrets: readonly string[];
  readonly close: () => Promise<void>;
}> {
  mkdirSync(paths.vault.folder, { mode: 0o700 });
  const vault = await createVault({ file: paths.vault.file, identity: paths.vault.identity });
  const secrets: string[] = [];
  for (const { name } of prepared.plan.secrets) {
    const marker = makeMarker("secret");
    secrets.push(marker);
    await vault.set(name, new SecretValue(marker));
  }
  const outside = await ensureAuthority(join(paths.root, "outside"));
  const plan = prepared.plan.bots.find(({ name }) => name === bot);
  const names = (plan?.grants ?? []).flatMap(({ hosts }) => hosts.map(({ name }) => name));
  const leaf = await issueLeaf(
    outside,
    names.length === 0 ? ["nothing.invalid"] : [...new Set(names)],
  );
  const services = await startServices(leaf, witness);
  const generation = await copyGeneration(prepared, {
    bot,
    services,
    ca: outside.caPem,
    port: freePort,
  });
  return { generation, secrets, close: () => services.close() };
}

/** A message that waits for somebody on the bridge, as it would have been kept. */
function waitingMessage(to: string): {
  readonly id: string;
  readonly marker: string;
  readonly line: string;
} {
  const [id, marker] = [randomUUID(), makeMarker("message")];
  const message = { id, from: "owner", to, text: marker, at: new Date().toISOString(), hops: 1 };
  return { id, marker, line: `${JSON.stringify({ event: "sent", ...message })}\n` };
}

/** Where the broker of a copy is the bridge. */
function plantMessage(paths: StatePaths, line: string): void {
  mkdirSync(paths.audit, { recursive: true, mode: 0o700 });
  writeFileSync(join(dirname(auditFile(paths)), "bridge.jsonl"), line, { mode: 0o600 });
}

/** The attacks in place of OpenClaw, and the one file that they bring. */
function alter(spec: WallSpec, addon: string, inside: InsidePaths): WallSpec {
  const bundle = `${inside.home}/${BUNDLE}`;
  const { memory } = spec.limits;
  return {
    ...spec,
    // The same mechanism, met before the host feels it.
    limits: {
      ...spec.limits,
      ...(memory === undefined ? {} : { memory: Math.min(memory, MEMORY) }),
    },
    command: [inside.node, `${bundle}/inside/main.ts`, `${bundle}/job.json`],
    mounts: [...spec.mounts, { kind: "read", from: addon, to: ADDON_INSIDE }],
    libraries: [...spec.libraries, ADDON_INSIDE],
  };
}

/** Only out here can be seen what became of a log that was flooded. */
function judgeLog(outcome: Outcome, copy: Copy): Outcome {
  if (outcome.attack.name !== "log-flood" || outcome.finding.state !== "held") return outcome;
  const size = [copy.log, `${copy.log}.1`]
    .map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
    .reduce((one, other) => one + other);
  if (size <= LOG_BYTES) return outcome;
  return { ...outcome, finding: { state: "through", detail: `its log has ${size} bytes` } };
}
