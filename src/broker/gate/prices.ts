import type { Usage } from "./usage/UsageReader.ts";

/**
 * Prices as of 2026-09-06, in US dollars per million tokens, which is the same as microdollars per
 * token. Sources: the model manifests shipped with OpenClaw 2026.9.6 (anthropic, openai); for older
 * models and Gemini the providers' published price lists as they stood in February 2026
 * (platform.claude.com/docs/en/about-claude/pricing, openai.com/api/pricing,
 * ai.google.dev/gemini-api/docs/pricing). Discounts for batches are left out, surcharges for more
 * expensive ways of service too.
 */
export const PRICES_AS_OF = "2026-09-06";

/** Input, output, cache read, cache write; from `above` input tokens on the prices of `long`. */
interface Price {
  readonly model: string;
  readonly each: readonly [input: number, output: number, cacheRead: number, cacheWrite: number];
  readonly above?: number;
  readonly long?: Price["each"];
}

const ANTHROPIC: readonly Price[] = [
  { model: "claude-fable-5-1", each: [10, 50, 0.25, 12.5] },
  { model: "claude-fable-5", each: [10, 50, 1, 12.5] },
  { model: "claude-mythos-5", each: [10, 50, 1, 12.5] },
  { model: "claude-opus-5-5", each: [4, 20, 0.2, 5] },
  { model: "claude-opus-5", each: [5, 25, 0.5, 6.25] },
  { model: "claude-opus-4-8", each: [5, 25, 0.5, 6.25] },
  { model: "claude-opus-4-7", each: [5, 25, 0.5, 6.25] },
  { model: "claude-opus-4-6", each: [5, 25, 0.5, 6.25] },
  { model: "claude-opus-4-5", each: [5, 25, 0.5, 6.25] },
  { model: "claude-opus-4-1", each: [15, 75, 1.5, 18.75] },
  { model: "claude-opus-4", each: [15, 75, 1.5, 18.75] },
  { model: "claude-sonnet-5", each: [2, 10, 0.2, 2.5] },
  {
    model: "claude-sonnet-4-6",
    each: [3, 15, 0.3, 3.75],
    above: 200_000,
    long: [6, 22.5, 0.6, 7.5],
  },
  {
    model: "claude-sonnet-4-5",
    each: [3, 15, 0.3, 3.75],
    above: 200_000,
    long: [6, 22.5, 0.6, 7.5],
  },
  { model: "claude-sonnet-4", each: [3, 15, 0.3, 3.75], above: 200_000, long: [6, 22.5, 0.6, 7.5] },
  { model: "claude-haiku-4-5", each: [1, 5, 0.1, 1.25] },
];

// OpenAI bills writes to its cache since GPT-5.6; where nothing is told they cost as input.
const OPENAI: readonly Price[] = [
  { model: "gpt-6-astra", each: [10, 50, 1, 12.5], above: 272_000, long: [20, 75, 2, 25] },
  { model: "gpt-6-sol", each: [2, 10, 0.2, 2.5], above: 272_000, long: [4, 15, 0.4, 5] },
  {
    model: "gpt-6-luna",
    each: [0.1, 0.5, 0.01, 0.125],
    above: 272_000,
    long: [0.2, 0.75, 0.02, 0.25],
  },
  { model: "gpt-5.6-sol", each: [5, 30, 0.5, 6.25] },
  { model: "gpt-5.6-terra", each: [2.5, 15, 0.25, 3.125] },
  { model: "gpt-5.6-luna", each: [1, 6, 0.1, 1.25] },
  { model: "gpt-5.5-pro", each: [30, 180, 30, 30] },
  { model: "gpt-5.5", each: [5, 30, 0.5, 5] },
  { model: "gpt-5.4-pro", each: [30, 180, 30, 30] },
  { model: "gpt-5.4-mini", each: [0.75, 4.5, 0.075, 0.75] },
  { model: "gpt-5.4-nano", each: [0.2, 1.25, 0.02, 0.2] },
  { model: "gpt-5.4", each: [2.5, 15, 0.25, 2.5] },
  { model: "gpt-5.2-pro", each: [21, 168, 21, 21] },
  { model: "gpt-5.2", each: [1.75, 14, 0.175, 1.75] },
  { model: "gpt-5.1", each: [1.25, 10, 0.125, 1.25] },
  { model: "gpt-5-mini", each: [0.25, 2, 0.025, 0.25] },
  { model: "gpt-5-nano", each: [0.05, 0.4, 0.005, 0.05] },
  { model: "gpt-5-pro", each: [15, 120, 15, 15] },
  { model: "gpt-5", each: [1.25, 10, 0.125, 1.25] },
  { model: "gpt-4.1-mini", each: [0.4, 1.6, 0.1, 0.4] },
  { model: "gpt-4.1-nano", each: [0.1, 0.4, 0.025, 0.1] },
  { model: "gpt-4.1", each: [2, 8, 0.5, 2] },
  { model: "gpt-4o-mini", each: [0.15, 0.6, 0.075, 0.15] },
  { model: "gpt-4o", each: [2.5, 10, 1.25, 2.5] },
  { model: "o3", each: [2, 8, 0.5, 2] },
  { model: "o4-mini", each: [1.1, 4.4, 0.275, 1.1] },
  { model: "text-embedding-3-small", each: [0.02, 0.02, 0.02, 0.02] },
  { model: "text-embedding-3-large", each: [0.13, 0.13, 0.13, 0.13] },
];

const GEMINI: readonly Price[] = [
  { model: "gemini-3.1-pro", each: [2, 12, 0.2, 2], above: 200_000, long: [4, 18, 0.4, 4] },
  { model: "gemini-3-pro", each: [2, 12, 0.2, 2], above: 200_000, long: [4, 18, 0.4, 4] },
  { model: "gemini-3-flash", each: [0.5, 3, 0.05, 0.5] },
  {
    model: "gemini-2.5-pro",
    each: [1.25, 10, 0.125, 1.25],
    above: 200_000,
    long: [2.5, 15, 0.25, 2.5],
  },
  { model: "gemini-2.5-flash-lite", each: [0.1, 0.4, 0.01, 0.1] },
  { model: "gemini-2.5-flash", each: [0.3, 2.5, 0.03, 0.3] },
];

const ALL = [...ANTHROPIC, ...OPENAI, ...GEMINI];

/** By the catalogue's names. A service that isn't here may sell anybody's models. */
const BY_SERVICE: Readonly<Record<string, readonly Price[]>> = {
  anthropic: ANTHROPIC,
  openai: OPENAI,
  "google-gemini": GEMINI,
};

/**
 * What a call costs, in microdollars, rounded up. A model that the table doesn't have costs as much
 * in each part as the dearest of its service (of all services, for one that may sell any), so that a
 * limit on money holds too early rather than too late.
 */
export function priceOf(
  service: string,
  model: string | undefined,
  usage: Usage,
): { readonly microdollars: number; readonly known: boolean } {
  const table = BY_SERVICE[service] ?? ALL;
  const found = findPrice(table, model ?? "");
  const price = found ?? dearest(table);
  const whole = usage.input + usage.cacheRead + usage.cacheWrite;
  const isLong = price.above !== undefined && whole > price.above;
  const [input, output, cacheRead, cacheWrite] = (isLong ? price.long : undefined) ?? price.each;
  const sum =
    usage.input * input +
    usage.output * output +
    usage.cacheRead * cacheRead +
    usage.cacheWrite * cacheWrite;
  return { microdollars: Math.ceil(sum), known: found !== undefined };
}

/**
 * The entry with the longest name that the model's begins with; what follows it may only be a date,
 * a number of a version or a word of state, since `gpt-5.4-x` is another model than `gpt-5.4`.
 * Routers write `anthropic/claude-opus-4.6`.
 */
function findPrice(table: readonly Price[], model: string): Price | undefined {
  const name = model.toLowerCase().replace(/^.*\//, "");
  const names = [name, name.replaceAll(".", "-")];
  return table
    .filter((price) =>
      names.some(
        (each) =>
          each.startsWith(price.model) &&
          /^(?:[-@:](?:20[0-9]{6}|20[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{2}-[0-9]{2,4}|latest|preview|exp|chat-latest))*$/.test(
            each.slice(price.model.length),
          ),
      ),
    )
    .toSorted((a, b) => b.model.length - a.model.length)[0];
}

function dearest(table: readonly Price[]): Price {
  const most = (index: 0 | 1 | 2 | 3): number =>
    Math.max(...table.flatMap(({ each, long = each }) => [each[index], long[index]]));
  return { model: "", each: [most(0), most(1), most(2), most(3)] };
}
