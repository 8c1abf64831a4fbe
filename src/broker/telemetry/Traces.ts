import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { AuditRecord } from "../audit/AuditRecord.ts";
import { spansBody } from "./spansBody.ts";

const MOST_QUEUED = 2048;
const MOST_TOGETHER = 256;
const GATHER_MS = 1000;
const TIMEOUT_MS = 5000;
/** After a failure the collector is left alone for so long; what doesn't fit the queue meanwhile is dropped. */
const PAUSE_MS = 10_000;

/**
 * Sends one span per call to an OpenTelemetry collector (OTLP/HTTP with JSON), gathered for a second. Calls
 * never wait for it: what the collector doesn't take is dropped and counted.
 */
export class Traces {
  readonly url: string;
  readonly #target: URL;
  readonly #timing: { readonly gatherMs: number; readonly pauseMs: number };
  #queue: AuditRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending = false;
  #agent: Agent | undefined;
  #closed = false;
  dropped = 0;

  /** @param url of the collector; without a path `/v1/traces` is meant. */
  constructor(url: string, timing = { gatherMs: GATHER_MS, pauseMs: PAUSE_MS }) {
    this.url = url;
    this.#timing = timing;
    this.#target = new URL(url);
    if (this.#target.pathname === "/") this.#target.pathname = "/v1/traces";
  }

  add(record: AuditRecord): void {
    if (this.#closed || this.#queue.length >= MOST_QUEUED) {
      this.dropped += 1;
      return;
    }
    this.#queue.push(record);
    this.#later(this.#timing.gatherMs);
  }

  /** Sends no more; what is queued is dropped. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#agent?.destroy();
  }

  #later(ms: number): void {
    if (this.#timer !== undefined || this.#sending || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, ms).unref();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    const batch = this.#queue.slice(0, MOST_TOGETHER);
    this.#queue = this.#queue.slice(batch.length);
    const taken = await this.#post(spansBody(batch)).catch(() => false);
    if (!taken) this.dropped += batch.length;
    this.#sending = false;
    if (this.#queue.length > 0) this.#later(taken ? 0 : this.#timing.pauseMs);
  }

  /** Whether the collector took it. */
  async #post(body: string): Promise<boolean> {
    const https = this.#target.protocol === "https:";
    const { Agent, request } = https ? await import("node:https") : await import("node:http");
    this.#agent ??= new Agent({ keepAlive: true, maxSockets: 1 });
    const options: RequestOptions = {
      method: "POST",
      agent: this.#agent,
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = request(this.#target, options, (reply: IncomingMessage) => {
        reply.on("error", reject);
        reply.resume().once("end", () => {
          resolve((reply.statusCode ?? 500) < 300);
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
}
