import type { AuditRecord } from "../../src/broker/audit/AuditRecord.ts";
import { idIn, type Ledger, type MadeCall, type MadeTunnel } from "./Ledger.ts";
import type { Down } from "./SoakBroker.ts";

/** What a call that had come to its end by then may still be recorded as: its line was not written yet. */
const JUST_BEFORE_MS = 1000;
/** Counts stay in memory for a minute. */
const COUNTED_MS = 65_000;

/**
 * Holds what clients did against the record: each call has its one line, none is there that nobody
 * made, and each ended as it should. What a kill may have touched has at most one line, exactly one where
 * its client or a server saw anything of it, and `broker-crash` stands nowhere else.
 */
export function judge(
  ledger: Ledger,
  records: readonly AuditRecord[],
  downs: readonly Down[],
): string[] {
  const faults = [...ledger.faults];
  const lines = new Map<string, AuditRecord[]>();
  const tunnels: AuditRecord[] = [];
  for (const record of records) {
    if (record.kind === "tunnel") tunnels.push(record);
    if (record.kind !== "call" && record.kind !== "ingress") continue;
    const id = idIn(record.path ?? "");
    if (id === undefined || !ledger.calls.has(id))
      faults.push(`a line that nobody's call has: ${record.kind} ${record.path ?? ""}`);
    else lines.set(id, [...(lines.get(id) ?? []), record]);
  }
  for (const call of ledger.calls.values())
    for (const fault of judgeCall(call, lines.get(call.id) ?? [], downs, ledger.stalls))
      faults.push(`${call.what} ${call.id}: ${fault}`);
  faults.push(
    ...judgeTunnels(ledger.tunnels, tunnels, [...downs, ...ledger.stalls]),
    ...judgeNoted(ledger, records, downs),
  );
  return faults;
}

function touched(
  { began, ended }: { began: number; ended: number },
  downs: readonly Down[],
): boolean {
  return downs.some(
    ({ from, until }) => began <= until && (ended === 0 || ended >= from - JUST_BEFORE_MS),
  );
}

function judgeCall(
  call: MadeCall,
  lines: readonly AuditRecord[],
  downs: readonly Down[],
  stalls: readonly Down[],
): string[] {
  const { got, expect, outcomes } = call;
  if (got === undefined) return ["it never ended"];
  // Of a connection that the kernel closed with the broker, Node's client of HTTP/2 doesn't always tell.
  const killed = lines[0]?.outcome === "broker-crash" && touched(call, downs);
  if (got.hung === true && !killed && !touched(call, stalls))
    return [`nothing came for a minute (recorded as ${lines[0]?.outcome ?? "nothing"})`];
  if (lines.length > 1) return [`${lines.length} lines in the record`];
  if (got.wrong !== undefined && !(expect.get !== "whole" && !got.whole)) return [got.wrong];
  const [line] = lines;
  if (line?.outcome === "broker-crash" && !touched(call, downs))
    return ["recorded as broker-crash without a kill"];
  if (touched(call, downs) || touched(call, stalls)) {
    const known = got.status !== undefined || call.seen > 0;
    return line === undefined && known
      ? [`no line in the record (answered ${got.status ?? "not"}, seen ${call.seen} times)`]
      : [];
  }
  // Nothing of it may have come to the broker, or nothing that a line could tell it by.
  if (line === undefined && call.mayVanish && got.status === undefined && call.seen === 0)
    return [];
  const faults: string[] = [];
  if (line === undefined) faults.push("no line in the record");
  else if (!outcomes.includes(line.outcome))
    faults.push(`recorded as ${line.outcome} ${line.code ?? ""}, not ${outcomes.join(" or ")}`);
  else if (got.status !== undefined && line.status !== got.status)
    faults.push(`recorded with status ${line.status ?? "none"}, answered ${got.status}`);
  const good = got.whole && (got.status ?? 0) < 400;
  switch (expect.get) {
    case "whole":
      if (!got.whole || got.status !== expect.status)
        faults.push(`answered ${got.status ?? "by a cut"}${got.whole ? "" : ", not whole"}`);
      break;
    case "failure":
      if (good) faults.push("it looks like a good answer");
      break;
    case "either":
      if (got.whole && !expect.statuses.includes(got.status ?? 0) && (got.status ?? 0) < 500)
        faults.push(`answered ${got.status ?? 0}`);
      break;
    case "nothing":
      if (good) faults.push("answered, though the server never did");
  }
  return faults;
}

/** By lane and time, since nothing else tells one from another. */
function judgeTunnels(
  made: readonly MadeTunnel[],
  records: readonly AuditRecord[],
  downs: readonly Down[],
): string[] {
  const faults: string[] = [];
  const left = new Set(records);
  const byHost = Map.groupBy(records, ({ bot, host }) => `${bot} ${host ?? ""}`);
  for (const tunnel of made) {
    const { lane, bot, host, began, ended, got, outcomes } = tunnel;
    const own = (byHost.get(`${bot} ${host}`) ?? []).filter(({ time }) => {
      const at = Date.parse(time);
      return at >= began && at <= ended;
    });
    for (const record of own) left.delete(record);
    const [line] = own;
    const what = `${lane} at ${new Date(began).toISOString()}`;
    if (own.length > 1) faults.push(`${what}: ${own.length} lines in the record`);
    if (got?.wrong !== undefined) faults.push(`${what}: ${got.wrong}`);
    if (got?.hung === true) faults.push(`${what}: nothing came for a minute`);
    if (touched(tunnel, downs)) {
      if (line === undefined && got?.status !== undefined)
        faults.push(`${what}: no line in the record`);
      continue;
    }
    // A bot whose grant was taken in this moment gets no further than the door.
    if (line === undefined && outcomes.includes("refused") && got?.whole !== true) continue;
    if (line === undefined) faults.push(`${what}: no line in the record`);
    else if (!outcomes.includes(line.outcome))
      faults.push(`${what}: recorded as ${line.outcome} ${line.code ?? ""}`);
    else if (line.outcome === "done" && got?.whole !== true) faults.push(`${what}: not whole`);
  }
  for (const { host, time } of left)
    faults.push(`a tunnel that nobody made: ${host ?? ""} at ${time}`);
  return faults;
}

/** Counted lines say how many, and lose at the most what the last minute before a kill had. */
function judgeNoted(
  { noted }: Ledger,
  records: readonly AuditRecord[],
  downs: readonly Down[],
): string[] {
  const key = ({ bot, kind, code }: { bot: string; kind: string; code?: string }): string =>
    `${bot} ${kind} ${code ?? ""}`;
  const told = new Map<string, number>();
  for (const record of records)
    if (record.kind === "dns" || record.kind === "connect")
      told.set(key(record), (told.get(key(record)) ?? 0) + (record.count ?? 1));
  const faults: string[] = [];
  for (const [what, all] of Map.groupBy(noted, key)) {
    const sure = all.filter(
      ({ at }) => !downs.some(({ from, until }) => at > from - COUNTED_MS && at < until),
    ).length;
    const count = told.get(what) ?? 0;
    if (count < sure) faults.push(`${what}: ${count} in the record, ${sure} were answered`);
  }
  return faults;
}
