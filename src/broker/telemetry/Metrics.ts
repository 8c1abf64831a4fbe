import type { AuditRecord } from "../audit/AuditRecord.ts";

/** Different combinations of labels that one metric has at most; further ones count as `(other)`. */
const MOST_SERIES = 1000;
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

type Labels = Readonly<Record<string, string>>;

/**
 * Counts what the record says, in OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/). Labels
 * are names that the declaration gives and words of ours, never a host, path or method that a bot chose.
 */
export class Metrics {
  readonly #calls = new Counter("seawall_calls", "Calls by what came of them");
  readonly #refused = new Counter("seawall_refused", "Refused or failed calls by code");
  readonly #bytes = new Counter("seawall_bytes", "Body bytes", "bytes");
  readonly #tokens = new Counter("seawall_tokens", "Tokens of model services");
  readonly #dollars = new Counter("seawall_cost_dollars", "Cost of model services", "dollars");
  readonly #durations = new Histogram("seawall_call_duration_seconds", "How long calls took");

  add(record: AuditRecord): void {
    const { bot, grant = "", kind, outcome, code, count = 1 } = record;
    this.#calls.add({ bot, grant, kind, outcome }, count);
    if (code !== undefined) this.#refused.add({ bot, code: wordOf(code) }, count);
    this.#bytes.add({ bot, grant, direction: "out" }, record.bytesOut ?? 0);
    this.#bytes.add({ bot, grant, direction: "in" }, record.bytesIn ?? 0);
    this.#tokens.add({ bot, grant, direction: "in" }, record.tokensIn ?? 0);
    this.#tokens.add({ bot, grant, direction: "out" }, record.tokensOut ?? 0);
    this.#dollars.add({ bot, grant }, (record.microdollars ?? 0) / 1e6);
    if (record.decision === "allow") this.#durations.add({ bot, kind }, record.durationMs / 1000);
  }

  /** @param now what is not counted but is so at the moment. */
  text(now: { readonly openCalls: number; readonly droppedSpans: number }): string {
    return [
      ...this.#calls.lines(),
      ...this.#refused.lines(),
      ...this.#bytes.lines(),
      ...this.#tokens.lines(),
      ...this.#dollars.lines(),
      ...this.#durations.lines(),
      "# TYPE seawall_open_calls gauge",
      "# HELP seawall_open_calls Calls that run",
      `seawall_open_calls ${now.openCalls}`,
      "# TYPE seawall_dropped_spans counter",
      "# HELP seawall_dropped_spans Spans that the collector did not take",
      `seawall_dropped_spans_total ${now.droppedSpans}`,
      "# EOF",
      "",
    ].join("\n");
  }
}

class Counter {
  readonly #head: readonly string[];
  readonly #name: string;
  readonly #series = new Series<{ value: number }>(() => ({ value: 0 }));

  constructor(name: string, help: string, unit?: string) {
    this.#name = name;
    this.#head = [
      `# TYPE ${name} counter`,
      ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
      `# HELP ${name} ${help}`,
    ];
  }

  /** Adding nothing makes no series. */
  add(labels: Labels, amount: number): void {
    if (amount > 0) this.#series.of(labels).value += amount;
  }

  lines(): string[] {
    const lines = [...this.#series].map(
      ([labels, { value }]) => `${this.#name}_total{${labels}} ${value}`,
    );
    return [...this.#head, ...lines];
  }
}

class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #series = new Series(() => ({
    buckets: new Float64Array(SECONDS.length),
    count: 0,
    sum: 0,
  }));

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, seconds: number): void {
    const series = this.#series.of(labels);
    series.count += 1;
    series.sum += seconds;
    const at = SECONDS.findIndex((most) => seconds <= most);
    if (at >= 0) series.buckets[at] = (series.buckets[at] ?? 0) + 1;
  }

  lines(): string[] {
    const lines = [...this.#series].flatMap(([labels, { buckets, count, sum }]) => {
      let below = 0;
      const cumulated = SECONDS.map((most, at) => {
        below += buckets[at] ?? 0;
        return `${this.#name}_bucket{${labels},le="${most}"} ${below}`;
      });
      return [
        ...cumulated,
        `${this.#name}_bucket{${labels},le="+Inf"} ${count}`,
        `${this.#name}_count{${labels}} ${count}`,
        `${this.#name}_sum{${labels}} ${sum}`,
      ];
    });
    return [
      `# TYPE ${this.#name} histogram`,
      `# UNIT ${this.#name} seconds`,
      `# HELP ${this.#name} ${this.#help}`,
      ...lines,
    ];
  }
}

/** Values by their labels, bounded in number. */
class Series<Value> implements Iterable<[string, Value]> {
  readonly #values = new Map<string, Value>();
  readonly #make: () => Value;

  constructor(make: () => Value) {
    this.#make = make;
  }

  of(labels: Labels): Value {
    const full = this.#values.size >= MOST_SERIES;
    const own = labelText(labels);
    const key =
      full && !this.#values.has(own)
        ? labelText(Object.fromEntries(Object.keys(labels).map((name) => [name, "(other)"])))
        : own;
    const value = this.#values.get(key) ?? this.#make();
    this.#values.set(key, value);
    return value;
  }

  [Symbol.iterator](): Iterator<[string, Value]> {
    return this.#values.entries();
  }
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, escaped)}"`)
    .join(",");
}

function escaped(character: string): string {
  return character === "\n" ? String.raw`\n` : `\\${character}`;
}

/** Codes are words of ours; anything else would be somebody's text. */
function wordOf(code: string): string {
  return /^[a-z0-9-]{1,64}$/.test(code) ? code : "(other)";
}
