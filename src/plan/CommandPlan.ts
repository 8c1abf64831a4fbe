/** A client command: what it is called inside the wall, and what may be asked of it. */
export interface CommandPlan {
  /** Its name in `/usr/bin` inside, as `google-api`. */
  readonly name: string;
  /** One sentence for an agent. */
  readonly about: string;
  /** By name, sorted. */
  readonly operations: readonly OperationPlan[];
  /** Whether any call may be asked for by method and path (`NAME get`, `NAME call`); the grant's rules decide. */
  readonly raw: boolean;
  /** Headers that an agent may give, sorted by name; absent where there are none. */
  readonly headers?: readonly HeaderPlan[];
}

export interface HeaderPlan {
  /** As it is written; compared without regard to case. */
  readonly name: string;
  readonly about?: string;
  /** What is sent where none is given. */
  readonly usual?: string;
}

export interface OperationPlan {
  /** As `calendar.events`. */
  readonly name: string;
  readonly about: string;
  readonly input: readonly InputPlan[];
  readonly does: HttpOperation | HandledOperation;
  /** Raw bytes may follow on standard input (`--input FILE`). */
  readonly takesBody?: boolean;
}

export interface InputPlan {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly required: boolean;
  readonly about: string;
  /** Bounds of a number, or of a string's or array's length. */
  readonly min?: number;
  readonly max?: number;
  /** The only values there are. */
  readonly oneOf?: readonly string[];
}

/** One HTTP call by the grant, decided, injected and recorded like any other of the bot's. */
export interface HttpOperation {
  readonly kind: "http";
  readonly method: string;
  /** `{name}` stands for an input, percent-encoded whole, so that it is never more than one segment. */
  readonly path: string;
  /** One of the grant's hosts; the first if absent. */
  readonly host?: string;
  /** Names in the query and what they get: an input's name in braces, or text. Inputs that aren't given are left out. */
  readonly query: Readonly<Record<string, string>>;
  /** Headers beside those that the broker sets; values are text. */
  readonly headers: Readonly<Record<string, string>>;
  /** All other inputs as one JSON object, or one input as the whole body, or what came on standard input. */
  readonly body: "none" | "json" | "input" | { readonly input: string };
  /** `file`: the answer is bytes and goes into a file of the bot's (`--output FILE`). */
  readonly answer: "text" | "file";
  /** Most bytes of an answer that are passed on. */
  readonly mostBytes: number;
}

/** Code of the broker's own, by its name in src/broker/command/handlers. */
export interface HandledOperation {
  readonly kind: "handled";
  readonly handler: string;
}
