import type { Place } from "../../plan/index.ts";
import type { Refusal } from "../Refusal.ts";

/** A place of a call in which the phantom stands, and how to put the secret there. */
export type Placed =
  /** The whole header, or the path where its template says. */
  | { readonly place: Extract<Place, { in: "header" | "path" }> }
  /** Names of the headers that the bot signed, when (ms since 1970), and what of the body. */
  | {
      readonly place: Extract<Place, { in: "sigv4" }>;
      readonly signed: readonly string[];
      readonly at: number;
      readonly payload: string;
    }
  /** `other` is the half that stays, one character per byte. */
  | { readonly place: Extract<Place, { in: "basic" }>; readonly other: string }
  /** Offsets in the Cookie header's value, in the query with its `?`, or in the body's bytes. */
  | {
      readonly place: Extract<Place, { in: "cookie" | "query" | "form" | "multipart" | "json" }>;
      readonly start: number;
      readonly end: number;
    };

/** What was seen in places of one kind. */
export interface Seen {
  readonly placed: readonly Placed[];
  /** What else stands in the headers that were read, to be searched for phantoms. */
  readonly beside: readonly string[];
}

export type Finding = Seen | Refusal;

export const NOTHING_SEEN: Seen = { placed: [], beside: [] };
