import { randomBytes } from "node:crypto";
import type { AuditRecord } from "../../src/broker/audit/AuditRecord.ts";

/** What a client is right to get where nothing was killed. */
export type Expectation =
  /** Answered to the end with this status, and with the very bytes that were to come. */
  | { readonly get: "whole"; readonly status: number }
  /** Anything but what looks like a whole good answer. */
  | { readonly get: "failure" }
  /** One of both. */
  | { readonly get: "either"; readonly statuses: readonly number[] }
  /** The client itself goes away. */
  | { readonly get: "nothing" };

/** How a call of a client ended, as the client saw it. */
export interface Got {
  readonly status?: number;
  /** It came to its end as its framing says, with the right bytes. */
  readonly whole: boolean;
  /** The bytes were others than were to come. */
  readonly wrong?: string;
  /** Nothing came for a minute. */
  readonly hung?: boolean;
}

/** One call that a client made: an HTTP request, a WebSocket, a visit at the ingress. */
export interface MadeCall {
  /** Stands in its path, and so in its record. */
  readonly id: string;
  readonly what: string;
  readonly kind: AuditRecord["kind"];
  readonly expect: Expectation;
  /** Outcomes that its record may have where nothing was killed. */
  readonly outcomes: readonly AuditRecord["outcome"][];
  /** Its client goes away when it likes, or its bot may have no such host: there may be no line of it. */
  readonly mayVanish: boolean;
  readonly began: number;
  ended: number;
  got: Got | undefined;
  /** How often a server saw it. */
  seen: number;
}

/** A connection that is passed through: nothing names it but its lane, on which there is one at a time. */
export interface MadeTunnel {
  readonly lane: string;
  readonly bot: string;
  readonly host: string;
  readonly outcomes: readonly AuditRecord["outcome"][];
  readonly began: number;
  ended: number;
  got: Got | undefined;
}

/** What is recorded with a count: names asked for in vain, connections that come to nothing. */
export interface Noted {
  readonly bot: string;
  readonly kind: AuditRecord["kind"];
  readonly code: string;
  readonly at: number;
}

/** All that clients did. */
export class Ledger {
  readonly calls = new Map<string, MadeCall>();
  readonly tunnels: MadeTunnel[] = [];
  readonly noted: Noted[] = [];
  /** When this process, and so all clients and servers, got no processor for seconds: bounds of time then pass by themselves. */
  readonly stalls: { readonly from: number; readonly until: number }[] = [];
  /** What went wrong while it happened. */
  readonly faults: string[] = [];

  begin(
    call: Pick<MadeCall, "what" | "kind" | "expect" | "outcomes"> & Partial<MadeCall>,
  ): MadeCall {
    const id = randomBytes(8).toString("hex");
    const made = {
      mayVanish: false,
      ...call,
      id,
      began: Date.now(),
      ended: 0,
      got: undefined,
      seen: 0,
    };
    this.calls.set(id, made);
    return made;
  }

  end(call: MadeCall | MadeTunnel, got: Got): void {
    call.ended = Date.now();
    call.got = got;
  }

  /** Whether a server may be asked this; counted. */
  see(id: string): boolean {
    const call = this.calls.get(id);
    if (call === undefined) return false;
    call.seen += 1;
    return true;
  }

  fault(text: string): void {
    // The first of a flood say all there is to say.
    if (this.faults.length < 500) this.faults.push(text);
  }
}

const ID = /-([0-9a-f]{16})(?![0-9a-f])/;

/** The id in a path, if there is one. */
export function idIn(path: string): string | undefined {
  return ID.exec(path)?.[1];
}
