import type { Case } from "./Case.ts";
import type { SeenAnswer } from "./readAnswers.ts";
import type { SeenRequest } from "./readRequests.ts";
import type { Lane } from "./Target.ts";
import { fillText, type Words } from "./words.ts";

/** What both ends saw of one case. */
export interface Seen {
  readonly answers: readonly SeenAnswer[];
  readonly got: Buffer;
  readonly gotBytes: number;
  readonly ended: boolean;
  /** The time was up before it was answered or cut. */
  readonly late: boolean;
  readonly requests: readonly SeenRequest[];
  /** What came over each connection to the server, up to the plain request afterwards. */
  readonly connections: readonly { readonly raw: Buffer; readonly bytes: number }[];
  /** Where what the server was sent could be read in another way. */
  readonly faults: readonly string[];
  readonly grownMB: number | undefined;
}

/** Everything that doesn't hold, in sentences; empty when all does. */
export function judge(each: Case, seen: Seen, lane: Lane, words: Words): string[] {
  return [
    ...always(each, seen, words),
    ...outcome(each, seen),
    ...bounds(each, seen),
    ...texts(each, seen, words),
    ...codes(each, seen, lane),
  ];
}

function always(each: Case, seen: Seen, words: Words): string[] {
  const faults: string[] = [];
  const { host, secret, phantom } = words;
  for (const fault of seen.faults) faults.push(`the server was sent ${fault}`);
  for (const { headers, target } of seen.requests) {
    const named = headers.find(([name]) => name === "host")?.[1];
    if (named !== host) faults.push(`the server got a request for host ${JSON.stringify(named)}`);
    if (phantom !== undefined && secret !== undefined) {
      const head = `${target} ${headers.map((header) => header.join(": ")).join("\n")}`;
      if (head.includes(phantom)) faults.push("the phantom reached the server");
    }
  }
  if (secret !== undefined && seen.got.includes(secret, 0, "latin1"))
    faults.push("the secret reached the client");
  // What the server never answers, the target answers itself; but a good answer has one request behind it.
  const good = seen.answers.filter(({ status }) => status < 400).length;
  if (good > seen.requests.length && each.upstream?.on !== "connect" && !usesH2Upstream(each))
    faults.push(`${good} good answers to ${seen.requests.length} requests that the server saw`);
  if (seen.late && each.expect.leave !== true)
    faults.push("it was neither answered nor cut in time");
  return faults;
}

function usesH2Upstream(each: Case): boolean {
  return each.upstream?.alpn?.includes("h2") === true;
}

function outcome({ expect, upstream }: Case, { answers, requests, ended }: Seen): string[] {
  const faults: string[] = [];
  const served = expect.served ?? 0;
  const most =
    expect.exactly ??
    expect.most ??
    { refused: served, served: Infinity, either: 1, failed: 1, held: Infinity }[expect.bot];
  if (requests.length > most)
    faults.push(`the server saw ${requests.length} requests, at most ${most} are right`);
  if (expect.exactly !== undefined && requests.length < expect.exactly)
    faults.push(`the server saw ${requests.length} requests, ${expect.exactly} are right`);
  const good = answers.filter(({ status, whole }) => status < 400 && whole);
  switch (expect.bot) {
    case "refused":
      if (answers.filter(({ status }) => status < 400).length > served)
        faults.push(`it was answered ${answers.map(({ status }) => status).join(", ")}`);
      break;
    case "served":
      if (good.length < (expect.answers ?? 1))
        faults.push(
          `it should have been served, and was answered ${answers.map(({ status, whole }) => `${status}${whole ? "" : " cut"}`).join(", ") || (ended ? "by a cut" : "nothing")}`,
        );
      break;
    case "failed":
      if (good.length > served)
        faults.push(`it looks like a good answer: ${good.map(({ status }) => status).join(", ")}`);
      break;
    case "either":
    case "held":
      break;
  }
  if (expect.bot === "served" && upstream === undefined && requests.length === 0)
    faults.push("the server saw nothing of it");
  return faults;
}

function bounds({ expect }: Case, seen: Seen): string[] {
  const faults: string[] = [];
  const bytes = seen.connections.reduce((sum, connection) => sum + connection.bytes, 0);
  if (seen.gotBytes > (expect.mostBytes ?? Infinity))
    faults.push(`the client got ${seen.gotBytes} bytes`);
  if (bytes > (expect.mostUpstreamBytes ?? Infinity)) faults.push(`the server got ${bytes} bytes`);
  if ((seen.grownMB ?? 0) > (expect.mostMemoryMB ?? Infinity))
    faults.push(
      `memory grew by ${Math.round(seen.grownMB ?? 0)} MB, at most ${expect.mostMemoryMB ?? 0} are right`,
    );
  return faults;
}

function texts({ expect }: Case, seen: Seen, words: Words): string[] {
  const faults: string[] = [];
  // Bodies also without their framing: where chunks end is the target's choice.
  const got = [seen.got.toString("latin1"), ...seen.answers.map(({ body }) => body)].join("\n--\n");
  // Requests that came in late, with the plain one afterwards, are looked at as they were read.
  const late = seen.requests.map(
    ({ method, target, headers }) =>
      `${method} ${target} HTTP/1.1\r\n${headers.map((header) => `${header.join(": ")}\r\n`).join("")}\r\n`,
  );
  const sent = [...seen.connections.map(({ raw }) => raw.toString("latin1")), ...late].join(
    "\n--\n",
  );
  const has = (text: string, sought: string | RegExp): boolean =>
    typeof sought === "string" ? text.includes(fillText(sought, words)) : sought.test(text);
  for (const sought of expect.neverUpstream ?? [])
    if (has(sent, sought)) faults.push(`the server got ${String(sought)}`);
  for (const sought of expect.neverUpstreamBody ?? [])
    if (seen.requests.some(({ body }) => has(body.toString("latin1"), sought)))
      faults.push(`a body at the server holds ${sought}`);
  for (const sought of expect.upstreamHas ?? [])
    if (!has(sent, sought)) faults.push(`the server did not get ${String(sought)}`);
  for (const sought of expect.neverBot ?? [])
    if (has(got, sought)) faults.push(`the client got ${String(sought)}`);
  for (const sought of expect.botHas ?? [])
    if (!has(got, sought)) faults.push(`the client did not get ${String(sought)}`);
  return faults;
}

/** Seawall's own codes, where it is Seawall that answered. */
function codes({ codes }: Case, { got }: Seen, { words }: Lane): string[] {
  if (codes === undefined || words["seawall"] === undefined) return [];
  const told = [
    ...got.toString("latin1").matchAll(/"type":"seawall_refused","code":"([a-z-]+)"/g),
  ].map(([, code]) => code ?? "");
  const wrong = told.filter((code) => !codes.includes(code));
  return wrong.map((code) => `the refusal says ${code}, not ${codes.join(" or ")}`);
}
