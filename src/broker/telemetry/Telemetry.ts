import type { Server } from "node:http";
import type { AuditRecord } from "../audit/AuditRecord.ts";
import type { BrokerConfig } from "../BrokerConfig.ts";
import { Metrics } from "./Metrics.ts";
import { serveMetrics } from "./serveMetrics.ts";
import { Traces } from "./Traces.ts";

type Wanted = BrokerConfig["telemetry"];

/**
 * Metrics and traces of what is recorded; both off unless the configuration asks for them. It sees
 * records only, so it can tell nothing that they don't.
 */
export class Telemetry {
  readonly #openCalls: () => number;
  readonly #socket: number | undefined;
  #metrics: Metrics | undefined;
  #server: { readonly port: number; readonly server: Server } | undefined;
  #traces: Traces | undefined;
  /** Serves until the configuration that wants another port is in force. */
  #replaced: Server | undefined;

  /** @param socket a descriptor that listens already, in place of the port */
  constructor(openCalls: () => number, socket?: number) {
    this.#openCalls = openCalls;
    this.#socket = socket;
  }

  /** Shown every record; never throws and never waits. */
  readonly observe = (record: AuditRecord): void => {
    this.#metrics?.add(record);
    this.#traces?.add(record);
  };

  /**
   * Opens what a new configuration wants and isn't there yet.
   *
   * @returns a function that takes this back, for when that configuration is refused.
   * @throws BrokerError `port-taken`.
   */
  async open(wanted: Wanted): Promise<() => void> {
    const port = wanted?.metricsPort;
    if (port === undefined || this.#server?.port === port) return () => undefined;
    const metrics = this.#metrics ?? new Metrics();
    const opened = await serveMetrics(
      this.#socket === undefined ? port : { fd: this.#socket },
      () =>
        metrics.text({
          openCalls: this.#openCalls(),
          droppedSpans: this.#traces?.dropped ?? 0,
        }),
    );
    const before = { metrics: this.#metrics, server: this.#server };
    this.#metrics = metrics;
    this.#server = { port, server: opened };
    this.#replaced = before.server?.server;
    return () => {
      this.#metrics = before.metrics;
      this.#server = before.server;
      this.#replaced = undefined;
      end(opened);
    };
  }

  /** The configuration is in force: closes what it doesn't want any more. */
  retain(wanted: Wanted): void {
    end(this.#replaced);
    this.#replaced = undefined;
    if (wanted?.metricsPort === undefined) {
      end(this.#server?.server);
      this.#server = undefined;
      this.#metrics = undefined;
    }
    if (this.#traces?.url === wanted?.traces) return;
    this.#traces?.close();
    this.#traces = wanted?.traces === undefined ? undefined : new Traces(wanted.traces);
  }

  close(): void {
    this.retain(undefined);
  }
}

function end(server: Server | undefined): void {
  server?.close();
  server?.closeAllConnections();
}
