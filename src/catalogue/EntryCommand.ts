/**
 * The command by which an agent without any other program asks for a service: what exists inside the
 * wall under `name`. Its help and its checks come from here; docs/services.md says how it is used.
 */
export interface EntryCommand {
  /** Its name inside. */
  readonly name: string;
  /** One sentence that tells an agent what it is for. */
  readonly about: string;
  /** `NAME get PATH`, `NAME call METHOD PATH [JSON]`: any call, as far as the grant's rules allow it. */
  readonly raw?: true;
  /** By name. */
  readonly operations: Readonly<Record<string, EntryOperation>>;
}

/** One HTTP call by the grant, or code of the broker's own. */
export type EntryOperation = EntryOperationBase &
  (
    | {
        /** `GET /path/{input}`; an input in braces is percent-encoded whole and is never more than a segment. */
        readonly call: string;
        /** The one of the service's hosts that it goes to; the first if absent. */
        readonly host?: string;
        /** By name in the query: `{input}` or text. Inputs that weren't given are left out. */
        readonly query?: Readonly<Record<string, string>>;
        /** All inputs that stand nowhere else, as one JSON object; or one input as the whole; or standard input. */
        readonly body?: "json" | "input" | { readonly input: string };
        /** Headers with fixed values. */
        readonly headers?: Readonly<Record<string, string>>;
        /** The answer is bytes and goes into a file (`--output FILE`). */
        readonly answer?: "file";
        /** Longest answer in bytes; 8 MiB if absent. */
        readonly mostBytes?: number;
      }
    | {
        /** Name in src/broker/command/handlers. */
        readonly handler: string;
        /** Raw bytes may come on standard input (`--input FILE`). */
        readonly takesBody?: true;
      }
  );

interface EntryOperationBase {
  /** What it does, for an agent: one line. */
  readonly about: string;
  /** By name, in the order they are shown. */
  readonly input?: Readonly<Record<string, EntryInput>>;
}

export interface EntryInput {
  readonly type: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly about: string;
  readonly required?: true;
  /** Bounds of a number, or of the length of a string or an array. */
  readonly min?: number;
  readonly max?: number;
  readonly oneOf?: readonly string[];
}
