import type { Socket } from "node:net";
import type { Audit } from "../audit/Audit.ts";
import type { AuditEnd, AuditStart } from "../audit/AuditRecord.ts";
import type { Granted } from "../Deployment.ts";
import { connectUpstream } from "../dial/connectUpstream.ts";
import { nameFailure } from "../dial/nameFailure.ts";
import type { Admission } from "../gate/Admission.ts";
import { isRefusal, refuse, type RefusalCode } from "../Refusal.ts";
import { fatalAlert } from "../tls/alert.ts";
import type { BrokerParts } from "./BrokerParts.ts";
import { tunnelMayRun } from "./RunningCalls.ts";

/** A connection that is passed through. */
export interface Tunnel {
  readonly granted: Granted;
  /** Bytes towards the host and back, as of now. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** Ends it with a reset on both sides and records why. */
  cut(code: RefusalCode): void;
}

/**
 * Passes a connection's bytes through to the granted host and back, as they are: TLS that ends at the
 * host (`tunnel`), or any protocol over TCP (`tcp`). Each half closes on its own, a reset goes on as
 * a reset, a slow reader slows the writer. What the bot asks for inside (also a Host other than the
 * server name) can't be seen here: that is what passing through means.
 */
export function openTunnel(
  parts: BrokerParts,
  audit: Audit,
  granted: Granted,
  socket: Socket,
): Tunnel {
  const passage = new Passage(granted, socket);
  const leave = parts.running.add(
    {
      recheck: (next) => tunnelMayRun(next, granted),
      cut: (code) => {
        passage.cut(code);
      },
    },
    parts.inForce()?.deployment,
  );
  void passage.run(parts, audit).finally(leave);
  return passage;
}

class Passage implements Tunnel {
  readonly granted: Granted;
  readonly #bot: Socket;
  /** Aborts when the bot's side has closed, by whomever. */
  readonly #gone = new AbortController();
  #upstream: Socket | undefined;
  #cut: RefusalCode | undefined;

  constructor(granted: Granted, socket: Socket) {
    this.granted = granted;
    this.#bot = socket;
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#gone.abort();
    });
    if (socket.closed) this.#gone.abort();
  }

  get bytesOut(): number {
    return this.#upstream?.bytesWritten ?? 0;
  }

  get bytesIn(): number {
    return this.#upstream?.bytesRead ?? 0;
  }

  cut(code: RefusalCode): void {
    this.#cut ??= code;
    this.#bot.resetAndDestroy();
    this.#upstream?.resetAndDestroy();
  }

  async run(parts: BrokerParts, audit: Audit): Promise<void> {
    const { bot, grant, host } = this.granted;
    const where = { host: `${host.name}:${host.port}`, grant: grant.name };
    const start: AuditStart = { bot, kind: "tunnel", ...where };
    const began = Date.now();
    const admitted = await parts.gate
      .admitTunnel(this.granted, this.#gone.signal)
      .catch(() => refuse("internal"));
    if (isRefusal(admitted)) {
      audit.record(start, this.#whyNot(admitted.refused), began);
      this.#sendAway();
      return;
    }
    const open = this.#gone.signal.aborted ? undefined : audit.begin(start);
    if (open === undefined) {
      audit.record(start, this.#whyNot("audit-unwritable"), began);
      admitted.end({ bytesOut: 0, bytesIn: 0 });
      this.#sendAway();
      return;
    }
    admitted.onSpent(() => {
      this.cut("byte-limit");
    });
    const end = await this.#pass(parts, admitted).catch((): AuditEnd => {
      // A bug of ours in one connection must not take the others down, nor stay unrecorded.
      this.cut("internal");
      return { outcome: "internal-error" };
    });
    const counts = { bytesOut: this.bytesOut, bytesIn: this.bytesIn };
    admitted.end({ ...counts, outcome: end.outcome });
    open.end({ ...end, ...counts });
  }

  async #pass(parts: BrokerParts, admission: Admission): Promise<AuditEnd> {
    try {
      const { socket } = await connectUpstream(this.granted, {
        resolve: parts.resolve,
        alpn: [],
        timeoutMs: parts.timeouts.connect,
        signal: this.#gone.signal,
        allowHalfOpen: true,
      });
      this.#upstream = socket;
    } catch (error) {
      const code = nameFailure(error);
      const end = this.#whyNot(code);
      this.#bot.resetAndDestroy();
      return code === "address-refused" || end.code !== code
        ? end
        : { outcome: "upstream-error", code };
    }
    const failed = await relay(this.#bot, this.#upstream, (bytes) => {
      admission.count(bytes);
    });
    if (this.#cut !== undefined) return { outcome: "refused", code: this.#cut };
    if (failed === "upstream") return { outcome: "upstream-error", code: "upstream-unreachable" };
    return { outcome: failed === undefined ? "done" : "client-abort" };
  }

  /** The bot may have gone, or have been cut, before it came to the refusal. */
  #whyNot(code: RefusalCode): AuditEnd {
    if (this.#cut !== undefined) return { outcome: "refused", code: this.#cut };
    return this.#gone.signal.aborted ? { outcome: "client-abort" } : { outcome: "refused", code };
  }

  /** Where the bot speaks TLS it is told so; other protocols have no common word for it. */
  #sendAway(): void {
    if (this.granted.host.scheme === "tcp") {
      this.#bot.resetAndDestroy();
      return;
    }
    this.#bot.write(fatalAlert("access_denied"));
    // Unread bytes would turn the close into a reset that overtakes the alert.
    this.#bot.resume();
    this.#bot.destroySoon();
  }
}

/**
 * Joins two connections until both are closed.
 *
 * @param count is told of bytes as they pass, either way.
 * @returns whose failure ended it early, if one's did.
 */
function relay(
  bot: Socket,
  upstream: Socket,
  count: (bytes: number) => void,
): Promise<"bot" | "upstream" | undefined> {
  return new Promise((resolve) => {
    let failed: "bot" | "upstream" | undefined;
    let over = false;
    const fail = (whose: "bot" | "upstream"): void => {
      // An upstream that has said all and closed may answer what comes after with a reset.
      if (!over && !(whose === "upstream" && upstream.readableEnded)) failed = whose;
      over = true;
      bot.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    const onClose = (whose: "bot" | "upstream", socket: Socket): void => {
      if (!socket.readableEnded || !socket.writableFinished) fail(whose);
      if (bot.closed && upstream.closed) resolve(failed);
    };
    for (const [whose, socket, other] of [
      ["bot", bot, upstream],
      ["upstream", upstream, bot],
    ] as const) {
      socket.on("error", () => {
        fail(whose);
      });
      socket.once("close", () => {
        onClose(whose, socket);
      });
      socket.pipe(other);
      socket.on("data", (chunk: Buffer) => {
        count(chunk.length);
      });
    }
    // Either may have closed before it came here.
    if (bot.destroyed) fail("bot");
    else if (upstream.destroyed) fail("upstream");
    if (bot.closed && upstream.closed) resolve(failed);
  });
}
