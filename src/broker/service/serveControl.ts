import { serveLines } from "./serveLines.ts";
import type { ControlRequest } from "./ServiceConfig.ts";

/** A configuration of a bot with many grants is some hundred kilobytes. */
const LONGEST = 16 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** Answers on the control socket, which is root's alone. */
export function serveControl(
  descriptor: number,
  answer: (request: ControlRequest) => Promise<object>,
): void {
  serveLines(descriptor, {
    longest: LONGEST,
    timeoutMs: TIMEOUT_MS,
    mostConnections: 16,
    answer: (request) => answer(request as ControlRequest),
  });
}
