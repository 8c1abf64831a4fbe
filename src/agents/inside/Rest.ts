import { JobError } from "./JobError.ts";

const TIMEOUT_MS = 30_000;
const LARGEST_REPLY = 8 * 1024 * 1024;

/** What a server said. */
export interface Reply {
  readonly status: number;
  /** Parsed JSON; undefined where there is none. */
  readonly body: unknown;
}

/** One server's API, called with a phantom in the place of its credential. */
export class Rest {
  readonly #api: string;
  readonly #authorization: string;
  readonly #service: string;

  /** @param api origin and path of the API, without a slash at its end. */
  constructor(service: string, api: string, authorization: string) {
    this.#service = service;
    this.#api = api;
    this.#authorization = authorization;
  }

  /**
   * Makes a call and gives the reply, whatever its status below 500.
   *
   * @throws JobError `unreachable` for no answer, 429 and 5xx: those may go well another time.
   */
  async call(method: string, path: string, body?: object): Promise<Reply> {
    let reply: Response;
    let text: string;
    try {
      reply = await fetch(`${this.#api}${path}`, {
        method,
        headers: {
          authorization: this.#authorization,
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await reply.text();
    } catch (cause) {
      throw new JobError("unreachable", `${this.#service} can't be reached`, cause);
    }
    if (reply.status >= 500 || reply.status === 429)
      throw new JobError(
        "unreachable",
        `${this.#service} answers with ${reply.status}${brokersReason(text)}`,
      );
    if (text.length > LARGEST_REPLY)
      throw new JobError("refused", `${this.#service} answers with too much`);
    return { status: reply.status, body: parse(text) };
  }

  /** The same, for a call that has to go well. @throws JobError `refused` */
  async must(method: string, path: string, what: string, body?: object): Promise<unknown> {
    const reply = await this.call(method, path, body);
    if (reply.status < 300) return reply.body;
    throw this.refusal(reply, what);
  }

  refusal({ status, body }: Reply, what: string): JobError {
    const said = textOf(body, "message") ?? "";
    // For people: what the server says is often the only reason there is.
    const reason = /^[\p{L}\p{N} .,:;'"()/_-]{1,160}/u.exec(said)?.[0] ?? "";
    const code = textOf(body, "code");
    const broker = code === undefined ? "" : ` (${code.slice(0, 40)})`;
    return new JobError(
      "refused",
      `${this.#service} refuses to ${what} (${status})${reason === "" ? broker : `: ${reason}`}`,
    );
  }
}

/** Why the broker didn't get to the server (broker/Refusal.ts), where it was the broker who answered. */
function brokersReason(text: string): string {
  const error = valueOf(parse(text), "error");
  if (textOf(error, "type") !== "seawall_refused") return "";
  const reason = /^[a-z0-9 ,;.'-]{1,120}$/i.exec(textOf(error, "message") ?? "")?.[0];
  const clock = textOf(error, "code") === "upstream-untrusted" ? ", or this machine's clock" : "";
  return reason === undefined ? "" : `: ${reason}${clock}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A text of an object that came from outside. */
export function textOf(value: unknown, key: string): string | undefined {
  const found = valueOf(value, key);
  return typeof found === "string" ? found : undefined;
}

export function valueOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
