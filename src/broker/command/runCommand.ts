import { describeCommand, describeOperation, formatOrigin, RAW_VERBS } from "../../plan/index.ts";
import type { CommandPlan, JsonObject, OperationPlan } from "../../plan/index.ts";
import type { BrokerGrant } from "../BrokerConfig.ts";
import type { BrokerParts } from "../call/BrokerParts.ts";
import type { ReplyHead } from "../http/Visit.ts";
import { formatRule } from "../rules/formatRule.ts";
import { callHttp, type CommandTarget, type HttpEnd } from "./callHttp.ts";
import type { CommandSocket } from "./CommandSocket.ts";
import { composeCall, type ComposedCall } from "./composeCall.ts";
import { explainRefusal } from "./explainRefusal.ts";
import { placeOf } from "./placeOf.ts";
import { printable, readInput, Unusable } from "./readInput.ts";
import { composeRaw, isRaw } from "./composeRaw.ts";
import { readHeaders, withHeaders } from "./readHeaders.ts";
import type { CommandRequest } from "./readRequest.ts";
import { runHandled } from "./runHandled.ts";

/** Exit codes of client commands. */
export const EXIT = {
  done: 0,
  serviceError: 1,
  usage: 2,
  refused: 3,
  outside: 5,
  internal: 70,
} as const;

/** Of a service's error that is shown. */
const MOST_ERROR_BYTES = 16 * 1024;
/** Of JSON that comes on standard input. */
const MOST_INPUT_BYTES = 4 * 1024 * 1024;
const RAW_MOST_BYTES = 8 * 1024 * 1024;
/** How long a service may say nothing. */
const IDLE_MS = 120_000;

/** A grant that has a command. */
type Commanded = BrokerGrant & { readonly command: CommandPlan };

/** What the client said, and the way to answer it. */
export interface CommandUse {
  readonly parts: BrokerParts;
  readonly bot: string;
  readonly client: CommandSocket;
  readonly request: CommandRequest;
  /** Shorter in tests. */
  readonly idleMs?: number;
}

/** Does what one use of a client command asks, and says how it ended by its exit code. */
export async function runCommand(use: CommandUse): Promise<number> {
  const { parts, bot, request } = use;
  const grants = parts.inForce()?.deployment.bots.get(bot)?.plan.grants ?? [];
  const grant = grants.find((each) => isCommanded(each, request.command));
  if (grant === undefined || !isCommanded(grant, request.command)) {
    return fail(use, EXIT.refused, {
      type: "seawall_refused",
      code: "not-granted",
      message: `no grant of this bot has a command "${printable(request.command)}"`,
    });
  }
  const [first, ...rest] = request.args;
  if (first === undefined || first === "--help" || first === "-h" || first === "help")
    return help(use, grant, first === "help" ? rest[0] : undefined, first === undefined);
  if (grant.command.raw && isRaw(first)) return runRaw(use, grant, first, rest);
  const operation = grant.command.operations.find((each) => each.name === first);
  if (operation === undefined) {
    const known = grant.command.operations.map(({ name }) => name);
    const names = [...known, ...(grant.command.raw ? [...RAW_VERBS.keys(), "call"] : [])].join(
      ", ",
    );
    return usage(use, `there is no operation "${printable(first)}"; there are: ${names}`);
  }
  if (rest.includes("--help") || rest.includes("-h"))
    return help(use, grant, operation.name, false);
  return runOperation(use, grant, operation, rest);
}

function isCommanded(grant: BrokerGrant, name: string): grant is Commanded {
  return (grant.kind === "inject" || grant.kind === "program") && grant.command?.name === name;
}

async function help(
  use: CommandUse,
  { command, ...grant }: Commanded,
  name: string | undefined,
  missing: boolean,
): Promise<number> {
  const operation = command.operations.find((each) => each.name === name);
  const allows = grant.kind === "inject" ? grant.rules.map(formatRule) : [];
  const text =
    operation === undefined
      ? describeCommand(
          command,
          allows,
          grant.kind === "inject" ? grant.hosts.map(formatOrigin) : [],
        )
      : describeOperation(command, operation);
  await use.client.write(missing ? "e" : "o", Buffer.from(text));
  return missing ? EXIT.usage : EXIT.done;
}

async function runOperation(
  use: CommandUse,
  grant: Commanded,
  operation: OperationPlan,
  given: readonly string[],
): Promise<number> {
  const { client, request } = use;
  const read = readHeaders(given, grant.command.headers);
  if (read instanceof Unusable) return usage(use, read.why);
  const { words } = read;
  const byStdin = words.includes("-");
  if (request.body && !byStdin && operation.takesBody !== true)
    return usage(use, `"${operation.name}" takes no --input`);
  if (!request.body && operation.takesBody === true)
    return usage(use, `"${operation.name}" needs --input FILE`);
  const stdin = byStdin ? await readText(client) : undefined;
  if (stdin instanceof Unusable) return usage(use, stdin.why);
  const input = readInput(words, operation.input, stdin);
  if (input instanceof Unusable) return usage(use, input.why);
  if (operation.does.kind === "handled")
    return runHandled(use, grant, operation, input, operation.does.handler);
  const composed = composeCall(operation.does, input);
  if (composed instanceof Unusable) return usage(use, composed.why);
  const call = withHeaders(composed, read);
  if (call instanceof Unusable) return usage(use, call.why);
  return runHttp(use, grant, call, operation.does.mostBytes);
}

/** `get PATH`, `call METHOD PATH [JSON]` and the like: the grant's rules alone decide. */
async function runRaw(
  use: CommandUse,
  grant: Commanded,
  verb: string,
  given: readonly string[],
): Promise<number> {
  if (grant.kind !== "inject") return usage(use, "this service makes no calls");
  const read = readHeaders(given, grant.command.headers);
  if (read instanceof Unusable) return usage(use, read.why);
  const { words } = read;
  const stdin = words.includes("-") ? await readText(use.client) : undefined;
  if (stdin instanceof Unusable) return usage(use, stdin.why);
  const composed = composeRaw(verb, words, { stdin, streams: use.request.body });
  if (composed instanceof Unusable) return usage(use, composed.why);
  const call = withHeaders(composed, read);
  if (call instanceof Unusable) return usage(use, call.why);
  const { origin, ...rest } = call;
  const host =
    origin === undefined
      ? grant.hosts[0]
      : grant.hosts.find((each) => formatOrigin(each) === origin);
  if (host === undefined) {
    const asked = placeOf(origin);
    // What an agent is told to call elsewhere is what its owner wants to hear of.
    use.parts.inForce()?.audit.record(
      {
        bot: use.bot,
        kind: "command",
        grant: grant.name,
        ...(asked === undefined ? {} : { host: asked }),
        method: call.method,
        path: use.request.command,
      },
      { outcome: "refused", code: "not-allowed" },
      Date.now(),
    );
    return fail(use, EXIT.refused, {
      type: "seawall_refused",
      code: "not-allowed",
      message: "that is none of the hosts of this grant",
      rule: `one of ${grant.hosts.map(formatOrigin).join(", ")}`,
      grant: grant.name,
    });
  }
  return callAt(use, { bot: use.bot, grant, host }, rest, RAW_MOST_BYTES);
}

async function readText(client: CommandSocket): Promise<string | Unusable> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of client.body) {
      length += chunk.length;
      if (length > MOST_INPUT_BYTES)
        return new Unusable(`the input is longer than ${MOST_INPUT_BYTES} bytes`);
      chunks.push(chunk);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    return new Unusable("the input is not UTF-8");
  }
}

async function runHttp(
  use: CommandUse,
  grant: Commanded,
  call: ComposedCall,
  mostBytes: number,
): Promise<number> {
  if (grant.kind !== "inject") return usage(use, "this service makes no calls");
  const host = grant.hosts.find(({ name }) => name === call.host) ?? grant.hosts[0];
  if (host === undefined) return usage(use, "this service is nowhere");
  return callAt(use, { bot: use.bot, grant, host }, call, mostBytes);
}

async function callAt(
  use: CommandUse,
  target: CommandTarget,
  call: ComposedCall,
  mostBytes: number,
): Promise<number> {
  const error: Buffer[] = [];
  let errorBytes = 0;
  const end = await callHttp(use.parts, use.client, target, call, {
    mostBytes,
    idleMs: use.idleMs ?? IDLE_MS,
    write: (chunk, head) => {
      if (isDone(head)) return use.client.write("o", chunk);
      // An error is shown as one, and no more of it than an agent can use.
      if (errorBytes < MOST_ERROR_BYTES)
        error.push(chunk.subarray(0, MOST_ERROR_BYTES - errorBytes));
      errorBytes += chunk.length;
      return true;
    },
  });
  return tellEnd(use, end, target, call, Buffer.concat(error).toString());
}

function isDone({ status }: ReplyHead): boolean {
  return status >= 200 && status < 300;
}

async function tellEnd(
  use: CommandUse,
  end: HttpEnd,
  target: CommandTarget,
  call: ComposedCall,
  errorText: string,
): Promise<number> {
  switch (end.end) {
    case "answered": {
      if (isDone(end.head)) return EXIT.done;
      const { status } = end.head;
      const body = parseOr(errorText);
      return fail(use, EXIT.serviceError, {
        type: "service_error",
        code: `http-${status}`,
        message: `the service answered ${status}`,
        body,
      });
    }
    case "refused": {
      const code = codeOf(errorText);
      const explained = explainRefusal(code, target, call);
      const outside = end.head.status === 502;
      return fail(use, outside ? EXIT.outside : EXIT.refused, {
        type: "seawall_refused",
        ...explained,
        grant: target.grant.name,
      });
    }
    case "failed":
      return fail(use, EXIT.outside, {
        type: "outside",
        code: end.code,
        message: FAILURES[end.code],
      });
    default:
      return end satisfies never;
  }
}

const FAILURES = {
  "too-slow": "the service said nothing for too long",
  "too-large": "the service's answer is longer than this operation passes on",
  cut: "the service's answer came to an end too early",
  "no-place": "this service takes its credential in a way that commands can't send",
} as const;

function codeOf(text: string): string {
  const parsed = parseOr(text) as { error?: { code?: unknown } } | null;
  const code = typeof parsed === "object" ? parsed?.error?.code : undefined;
  return typeof code === "string" ? code : "refused";
}

function parseOr(text: string): JsonObject | string | null {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return text;
  }
}

export async function fail(
  { client }: Pick<CommandUse, "client">,
  exit: number,
  error: object,
): Promise<number> {
  await client.write("e", Buffer.from(`${JSON.stringify({ error })}\n`));
  return exit;
}

function usage(use: CommandUse, message: string): Promise<number> {
  const hint = `type: ${use.request.command} --help`;
  return fail(use, EXIT.usage, { type: "usage", code: "usage", message, hint });
}
