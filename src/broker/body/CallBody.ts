/** A request's body that had to be read before the call could be decided. */
export interface CallBody {
  /** Whole, its Content-Encoding undone. */
  readonly bytes: Buffer;
  /** Media type in lower case without parameters; empty when the call names none. */
  readonly type: string;
  /** Parameters of the media type, names in lower case: `boundary`, `charset`. */
  readonly parameters: ReadonlyMap<string, string>;
}
