import type { AuditRecord } from "../audit/AuditRecord.ts";

/** Enums of opentelemetry/proto/trace/v1/trace.proto. */
const KIND_CLIENT = 3;
const KIND_SERVER = 2;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

/** By OpenTelemetry's semantic conventions for HTTP, where they have a name for it. */
const ATTRIBUTES: Readonly<Partial<Record<keyof AuditRecord, string>>> = {
  method: "http.request.method",
  status: "http.response.status_code",
  path: "url.path",
  httpVersion: "network.protocol.version",
  bytesOut: "http.request.body.size",
  bytesIn: "http.response.body.size",
  tokensIn: "gen_ai.usage.input_tokens",
  tokensOut: "gen_ai.usage.output_tokens",
  bot: "seawall.bot",
  kind: "seawall.kind",
  grant: "seawall.grant",
  rule: "seawall.rule",
  decision: "seawall.decision",
  outcome: "seawall.outcome",
  code: "seawall.code",
  count: "seawall.count",
  tokensEstimated: "seawall.tokens_estimated",
  approvedBy: "seawall.approved_by",
  microdollars: "seawall.microdollars",
  waitMs: "seawall.wait_ms",
  connectMs: "seawall.connect_ms",
  firstByteMs: "seawall.first_byte_ms",
};

/** The body of one export: an ExportTraceServiceRequest in JSON (OTLP 1.x, ids in hexadecimal, 64-bit numbers as text). */
export function spansBody(records: readonly AuditRecord[]): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [attribute("service.name", "seawall")] },
        scopeSpans: [{ scope: { name: "seawall.broker" }, spans: records.map(spanOf) }],
      },
    ],
  });
}

function spanOf(record: AuditRecord): object {
  const id = record.id.replaceAll("-", "");
  const start = BigInt(Date.parse(record.time)) * 1_000_000n;
  const end = start + BigInt(Math.max(0, Math.round(record.durationMs))) * 1_000_000n;
  const { method, kind, grant, outcome, code } = record;
  return {
    traceId: id,
    spanId: id.slice(16),
    name: [method ?? kind, grant].filter((word) => word !== undefined).join(" "),
    kind: kind === "ingress" ? KIND_SERVER : KIND_CLIENT,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(end),
    attributes: [
      ...Object.entries(ATTRIBUTES).flatMap(([field, name]) => {
        const value = record[field as keyof AuditRecord];
        return value === undefined ? [] : [attribute(name, value)];
      }),
      ...serverOf(record.host),
    ],
    status:
      outcome === "done" ? { code: STATUS_OK } : { code: STATUS_ERROR, message: code ?? outcome },
  };
}

function serverOf(host: string | undefined): object[] {
  const match = /^(.*):(\d+)$/.exec(host ?? "");
  if (match === null) return host === undefined ? [] : [attribute("server.address", host)];
  return [attribute("server.address", match[1] ?? ""), attribute("server.port", Number(match[2]))];
}

function attribute(key: string, value: string | number | true): object {
  if (value === true) return { key, value: { boolValue: true } };
  if (typeof value === "string") return { key, value: { stringValue: value } };
  return { key, value: { intValue: String(Math.round(value)) } };
}
