import { createHash, randomUUID } from "node:crypto";
import type { LimitsPlan } from "../../plan/index.ts";
import { safePath } from "../audit/safePath.ts";
import { checkContent } from "../content/checkContent.ts";
import type { Decision } from "../decide/decide.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import type { FromBroker, ToBroker } from "../protocol.ts";
import { isRefusal, type Refusal } from "../Refusal.ts";
import type { Admission } from "./Admission.ts";
import { Asks, type Question } from "./Asks.ts";
import { CallAdmission, type Metered, type Running } from "./CallAdmission.ts";
import { LimitsFile, type SavedMeters } from "./LimitsFile.ts";
import { Meter, SYSTEM_CLOCK, type Clock } from "./Meter.ts";
import { UNKNOWN_GRANT } from "./UnknownHosts.ts";

export type { Admission, AdmissionEnd, ReplyWatcher } from "./Admission.ts";

/** What the gate needs of the broker. */
export interface GateRoom {
  send(message: FromBroker): void;
  /** The bounds on all of a bot's calls together, at this moment. */
  limitsOf(bot: string): LimitsPlan | undefined;
  readonly clock?: Clock;
}

const ASK_MS = 5 * 60_000;
/** Methods that do nothing, however often (RFC 9110 section 9.2.1). */
const SAFE = ["GET", "HEAD", "OPTIONS"];

/**
 * Limits and asks. Without either a call passes at once. What a call may use of a limit is set aside
 * while it runs, and bytes are counted as they pass; tokens are known only at a reply's end, so a
 * stream that passes the day's tokens or money on its way goes on to its end.
 */
export class Gate {
  readonly #room: GateRoom;
  readonly #clock: Clock;
  readonly #asks: Asks;
  readonly #meters = new Map<string, Meter>();
  /** From the file, of meters that were not needed yet. */
  #saved = new Map<string, SavedMeters[string]>();
  #file: { readonly path: string; readonly file: LimitsFile } | undefined;

  constructor(room: GateRoom) {
    this.#room = room;
    this.#clock = room.clock ?? SYSTEM_CLOCK;
    this.#asks = new Asks((message) => {
      room.send(message);
    }, this.#clock);
  }

  /**
   * From now on keeps in this file what is used of limits, beginning with what it holds; the same file
   * again changes nothing.
   *
   * @param askMs how long a call waits for the owner, in milliseconds.
   */
  open(path: string, askMs = ASK_MS): void {
    this.#asks.waitMs = askMs;
    if (this.#file?.path === path) return;
    this.#file?.file.close();
    const key = "limits";
    const file = new LimitsFile(
      path,
      () => this.#save(),
      (warning) => {
        this.#room.send(
          warning === undefined ? { type: "health-clear", key } : { type: "health", key, warning },
        );
      },
    );
    this.#file = { path, file };
    this.#saved = new Map(Object.entries(file.read()));
  }

  /**
   * Lets a decided call in, perhaps after the owner was asked. `gone` aborts when the bot gives up, or
   * the call may not be made any more.
   */
  async admit(decision: Decision, call: Call, gone: AbortSignal): Promise<Admission | Refusal> {
    const { granted, verdict, rule, path } = decision;
    const { grant } = granted;
    const checked =
      grant.content === undefined
        ? { edits: [] }
        : checkContent(grant.content, granted, call, path);
    if (isRefusal(checked)) return checked;
    const questions: Question[] = [];
    const ask = (name: string, detail?: string): void => {
      questions.push(describeCall(granted, call, path, name, detail));
    };
    if (verdict === "ask") ask(rule);
    if (checked.link !== undefined) ask("link", checked.link);
    const metered = meteredOf(grant, call.method);
    return this.#enterAsking(granted, metered, questions, gone, checked.edits);
  }

  /**
   * Lets a call in that nobody has to be asked about and whose body nobody looks at; nothing is used where it
   * is refused.
   */
  admitAtOnce({ granted, verdict }: Decision, call: Call): Admission | undefined {
    if (verdict === "ask" || granted.grant.content !== undefined) return undefined;
    const entered = this.#enter(granted, meteredOf(granted.grant, call.method), []);
    return isRefusal(entered) ? undefined : entered;
  }

  /** The same for a connection that is passed through. */
  async admitTunnel(granted: Granted, gone: AbortSignal): Promise<Admission | Refusal> {
    const { bot, host, grant } = granted;
    const questions: Question[] = [];
    const where = `${host.name}:${host.port}`;
    if (grant.name === UNKNOWN_GRANT) {
      const identity = JSON.stringify([bot, where]);
      questions.push({ bot, host: where, rule: "unknown-host", identity, single: false });
    }
    const metered: Metered = { service: grant.name, usage: undefined, works: false };
    return this.#enterAsking(granted, metered, questions, gone, []);
  }

  /** The owner's word on an ask. */
  answer(message: Extract<ToBroker, { type: "answer" }>): void {
    this.#asks.answer(message);
  }

  /** Refuses what waits and writes what was used. */
  close(): void {
    this.#asks.close();
    this.#file?.file.close();
    this.#file = undefined;
  }

  async #enterAsking(
    granted: Granted,
    metered: Metered,
    questions: readonly Question[],
    gone: AbortSignal,
    edits: Admission["edits"],
  ): Promise<Admission | Refusal> {
    const admission = this.#enter(granted, metered, edits);
    if (isRefusal(admission)) return admission;
    for (const question of questions) {
      const refusal =
        (await this.#asks.wait(question, gone)) ??
        // Waiting may have taken long.
        admission.checkDay();
      if (refusal === undefined) continue;
      admission.end({ bytesOut: 0, bytesIn: 0 });
      return refusal;
    }
    return admission;
  }

  #enter(granted: Granted, metered: Metered, edits: Admission["edits"]): CallAdmission | Refusal {
    const meters = this.#metersOf(granted);
    for (const { meter, limits } of meters) {
      const refusal = meter.check(limits);
      if (refusal !== undefined) return refusal;
    }
    const running: readonly Running[] = meters.map(({ meter, limits }) => ({
      meter,
      limits,
      reserved: meter.enter(limits, metered.usage !== undefined),
    }));
    const changed = (): void => {
      if (running.length > 0) this.#file?.file.touch();
    };
    changed();
    return new CallAdmission(running, metered, edits, changed);
  }

  #metersOf({ bot, grant }: Granted): { meter: Meter; limits: LimitsPlan }[] {
    const ofBot = this.#room.limitsOf(bot);
    return [
      ...(ofBot === undefined ? [] : [{ meter: this.#meter([bot]), limits: ofBot }]),
      ...(grant.limits === undefined
        ? []
        : [{ meter: this.#meter([bot, grant.name]), limits: grant.limits }]),
    ];
  }

  #meter(names: readonly string[]): Meter {
    const key = JSON.stringify(names);
    const there = this.#meters.get(key);
    if (there !== undefined) return there;
    const meter = new Meter(this.#clock, this.#saved.get(key));
    this.#saved.delete(key);
    this.#meters.set(key, meter);
    return meter;
  }

  #save(): SavedMeters {
    const live = [...this.#meters].map(([key, meter]) => [key, meter.save()] as const);
    return Object.fromEntries([...this.#saved, ...live]);
  }
}

function meteredOf({ service, usage }: InjectBrokerGrant, method: string): Metered {
  return { service, usage, works: !SAFE.includes(method) };
}

/** Calls with a body that wasn't read are each asked about: nobody knows whether they are alike. */
function describeCall(
  { bot, grant, host }: Granted,
  { method, query, body, content }: Call,
  path: string,
  rule: string,
  detail: string | undefined,
): Question {
  const unread = body !== "none" && content === undefined ? randomUUID() : "";
  const digest = createHash("sha256")
    .update(content?.bytes ?? "")
    .digest("hex");
  const where = `${host.name}:${host.port}`;
  return {
    bot,
    grant: grant.name,
    host: where,
    method,
    path: safePath(path, query, () => false),
    rule,
    ...(detail === undefined ? {} : { detail }),
    identity: JSON.stringify([
      bot,
      grant.name,
      where,
      method,
      path,
      query,
      rule,
      detail,
      digest,
      unread,
    ]),
    single: !SAFE.includes(method),
  };
}
