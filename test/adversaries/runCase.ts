import { randomBytes } from "node:crypto";
import type { Case } from "./Case.ts";
import { askDns } from "./askDns.ts";
import { readH2 } from "./h2/readH2.ts";
import { judge, type Seen } from "./judge.ts";
import { readAnswers, type SeenAnswer } from "./readAnswers.ts";
import { peakMemory } from "./peakMemory.ts";
import type { Lane, Target } from "./Target.ts";
import { CONTROL } from "./Upstream.ts";
import { Visitor } from "./Visitor.ts";
import { derive, type Words } from "./words.ts";

export interface Result {
  readonly name: string;
  readonly verdict: "held" | "broken" | "not-applicable";
  /** Why it is broken, or what the target lacks. */
  readonly why: readonly string[];
  readonly ms: number;
  /** What the client was told, for the table: statuses, or `cut`. */
  readonly told: string;
}

const USUAL_MS = 20_000;
/** How long a client waits for what might still come once it has said that it is done. */
const LINGER_MS = 1500;
/** A target may give a server some seconds to say goodbye, on a machine that is busy. */
const CLOSED_MS = 15_000;

/** Runs one case on one lane, with a plain request after it. Never rejects. */
export async function runCase(
  target: Target,
  lane: Lane,
  name: string,
  each: Case,
): Promise<Result> {
  const began = performance.now();
  const done = (verdict: Result["verdict"], why: readonly string[], told = ""): Result => ({
    name,
    verdict,
    why,
    ms: Math.round(performance.now() - began),
    told,
  });
  const lacking = (each.needs ?? []).filter((feature) => !target.features.has(feature));
  if (lacking.length > 0)
    return done("not-applicable", [`the target has no ${lacking.join(", no ")}`]);
  try {
    const words = derive({ ...lane.words, id: randomBytes(6).toString("hex") });
    if (each.dns !== undefined) {
      const { faults, told } = await askDns(target, each.dns);
      const after = await control(target, lane, words);
      const all = [...faults, ...after];
      return done(all.length === 0 ? "held" : "broken", all, told);
    }
    const seen = await visit(target, lane, each, words);
    const faults = [...judge(each, seen, lane, words), ...seen.control];
    return done(faults.length === 0 ? "held" : "broken", faults, tell(seen));
  } catch (error) {
    return done("broken", [
      `the case itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    ]);
  }
}

async function visit(
  target: Target,
  lane: Lane,
  each: Case,
  words: Words,
): Promise<Seen & { control: string[] }> {
  const { expect } = each;
  const { upstream } = lane;
  upstream.begin(each.upstream, words);
  const memory = expect.mostMemoryMB === undefined ? undefined : peakMemory(target.pid);
  const withinMs = expect.withinMs ?? USUAL_MS;
  let late = false;
  const h2 = each.needs?.includes("h2") === true && each.via?.alpn === undefined;
  const visitor = await Visitor.connect(target, lane, each.via ?? {}, words, { h2 });
  const timer = setTimeout(() => {
    late = true;
    visitor.leave();
  }, withinMs);
  const speaksH2 = visitor.protocol === "h2";
  const answers = (): readonly SeenAnswer[] =>
    speaksH2 ? readH2(visitor.got) : readAnswers(visitor.got, methodsOf(each), visitor.ended);
  const wholeNow = (): number => answers().filter((answer) => answer.whole).length;
  const whole = rarely(() => visitor.bytes, wholeNow);
  const steps = each.bot ?? [{ send: `GET /v1/models/{id} HTTP/1.1\r\n${lane.plainHead}\r\n` }];
  for (const step of steps) {
    if (visitor.ended && !("act" in step)) break;
    if ("until" in step && step.until === "answers")
      await visitor.when(() => whole() >= step.count);
    else if ("until" in step && step.until === "upstream")
      await upstream.when(() => upstream.requests().length >= step.count, visitor.gone);
    else await visitor.do(step, words);
  }
  if (expect.leave !== true) {
    await visitor.when(() => whole() >= (expect.answers ?? 1));
    // What was smuggled is answered late or never: whoever is done says so and looks what still comes.
    visitor.finish();
    const linger = setTimeout(() => {
      visitor.leave();
    }, LINGER_MS);
    await visitor.gone;
    clearTimeout(linger);
  }
  clearTimeout(timer);
  visitor.leave();
  const seenAnswers = answers();
  const extra: string[] = [];
  if (expect.upstreamClosed === true) {
    const closed = await within(CLOSED_MS, (gone) =>
      upstream.when(
        () =>
          upstream.connections.every(
            ({ closed, reader }) => closed || reader.requests.length === 0,
          ),
        gone,
      ),
    );
    if (!closed) extra.push("a connection to the server stayed open after the client had gone");
  }
  // What the server has until now; the plain request's bytes are not the case's.
  const connections = upstream.connections.map(({ raw, bytes }) => ({ raw, bytes }));
  upstream.calm();
  const control_ = await control(target, lane, words);
  const grown = memory === undefined ? undefined : memory();
  return {
    answers: seenAnswers,
    got: visitor.got,
    gotBytes: visitor.bytes,
    ended: visitor.ended,
    late,
    requests: upstream.requests(),
    connections,
    faults: upstream.connections.flatMap(({ reader }) => reader.fault ?? []),
    grownMB: grown,
    control: [...extra, ...control_],
  };
}

/** A plain request, which must be answered by the server with what belongs to it. */
async function control(target: Target, lane: Lane, words: Words): Promise<string[]> {
  const path = `${CONTROL}${words["id"] ?? ""}`;
  for (let attempt = 1; ; attempt += 1) {
    const visitor = await Visitor.connect(target, lane, {}, words, { h2: false });
    const timer = setTimeout(() => {
      visitor.leave();
    }, USUAL_MS);
    await visitor.do(
      { send: `GET ${path} HTTP/1.1\r\n${lane.plainHead}Connection: close\r\n\r\n` },
      words,
    );
    await visitor.when(() => readAnswers(visitor.got, ["GET"], visitor.ended)[0]?.whole === true);
    clearTimeout(timer);
    visitor.leave();
    const [answer] = readAnswers(visitor.got, ["GET"], true);
    if (answer?.status === 200 && answer.body === `control ${path}`) return [];
    // A server that has just cut its connections may be met once more on one of them.
    if ((answer?.status ?? 502) < 500 || attempt === 3)
      return [
        `a plain request afterwards was answered ${answer === undefined ? "not at all" : `${answer.status} ${JSON.stringify(answer.body.slice(0, 200))}`}`,
      ];
  }
}

/** Reading megabytes anew with each chunk would take longer than the case: large answers are looked at now and then. */
function rarely(bytes: () => number, look: () => number): () => number {
  let last = 0;
  let next = 0;
  return () => {
    if (bytes() < 65_536 || performance.now() >= next) {
      last = look();
      next = performance.now() + 200;
    }
    return last;
  };
}

function methodsOf(each: Case): string[] {
  const [first] = each.bot ?? [];
  const text =
    first !== undefined && "send" in first && typeof first.send === "string" ? first.send : "GET ";
  return [/^([A-Z]+) /.exec(text)?.[1] ?? "GET"];
}

async function within(ms: number, act: (gone: Promise<void>) => Promise<void>): Promise<boolean> {
  let late = false;
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      late = true;
      resolve();
    }, ms);
  });
  await act(gone);
  clearTimeout(timer);
  return !late;
}

function tell({ answers, ended }: Seen): string {
  const statuses = answers.map(({ status, whole }) => `${status}${whole ? "" : " cut"}`);
  if (statuses.length > 4) return `${statuses.length} × ${[...new Set(statuses)].join(", ")}`;
  return statuses.length > 0 ? statuses.join(", ") : ended ? "cut" : "nothing";
}
