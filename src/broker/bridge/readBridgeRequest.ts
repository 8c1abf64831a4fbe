import { MOST_AT_ONCE, MOST_TEXT_BYTES, type BridgeLetter } from "./BridgeEnd.ts";

/** What a broker asks of the bridge: one line of JSON, answered by one. The bot is said by the socket. */
export type BridgeRequest =
  | { readonly verb: "send"; readonly letter: BridgeLetter }
  | { readonly verb: "receive"; readonly most: number; readonly waitMs: number }
  | { readonly verb: "acknowledge"; readonly ids: readonly string[] }
  | { readonly verb: "waiting" }
  | { readonly verb: "taking"; readonly bots: readonly string[] };

/** The catalogue's bound on `wait`. */
export const LONGEST_WAIT_MS = 60_000;
/** Catalogue's bounds on `key`, an id, and a bot's name. */
const LONGEST_WORD = 100;
const MOST_BOTS = 10_000;

/** A request that can be answered; `undefined` for anything else, whoever sent it. */
export function readBridgeRequest(value: unknown): BridgeRequest | undefined {
  if (!isObject(value)) return undefined;
  switch (value["verb"]) {
    case "send": {
      const { letter } = value;
      if (!isObject(letter)) return undefined;
      const { to, text, key } = letter;
      if (!isWord(to) || typeof text !== "string" || Buffer.byteLength(text) > MOST_TEXT_BYTES)
        return undefined;
      if (key === undefined) return { verb: "send", letter: { to, text } };
      return isWord(key) ? { verb: "send", letter: { to, text, key } } : undefined;
    }
    case "receive": {
      const { most, waitMs } = value;
      return isWithin(most, 1, MOST_AT_ONCE) && isWithin(waitMs, 0, LONGEST_WAIT_MS)
        ? { verb: "receive", most, waitMs }
        : undefined;
    }
    case "acknowledge": {
      const { ids } = value;
      return isWords(ids, MOST_AT_ONCE) ? { verb: "acknowledge", ids } : undefined;
    }
    case "waiting":
      return { verb: "waiting" };
    case "taking": {
      const { bots } = value;
      return isWords(bots, MOST_BOTS) ? { verb: "taking", bots } : undefined;
    }
    default:
      return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= LONGEST_WORD;
}

function isWords(value: unknown, most: number): value is string[] {
  return Array.isArray(value) && value.length <= most && value.every((each) => isWord(each));
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}
