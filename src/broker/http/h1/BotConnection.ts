import type { Socket } from "node:net";
import type { RefusalCode } from "../../Refusal.ts";
import type { VisitHead } from "../Visit.ts";
import { H1Visit } from "./H1Visit.ts";
import { headKey, type HeadKey } from "./headKey.ts";
import { parseRequest, type ParsedRequest } from "./parseRequest.ts";

/** What is done with a connection's requests. */
export interface BotConnectionUser {
  visit(visit: H1Visit): void;
  /**
   * What is known of a request by its head, if it can be answered at once; it then goes to `start`.
   *
   * @param body all of it.
   */
  quick(key: HeadKey, body: Buffer): QuickStart | undefined;
  /** Takes the connection over with everything on it that wasn't looked at yet. */
  handOver(socket: Socket): void;
  /** Records what never became a request, and ends the connection; with an answer where none is under way. */
  refuse(code: RefusalCode, answerable: boolean): void;
  closed(connection: BotConnection): void;
}

/** A request that is treated without being read once more. */
export interface QuickStart {
  readonly head: VisitHead;
  readonly persistent: boolean;
  start(visit: H1Visit): void;
}

/** No client sends more requests than this without having had an answer. */
const MOST_PIPELINED = 16;
/** Waiting requests may have this many bytes before somebody counts them. */
const MUCH = 16 * 1024;
/** Of a body that nobody wants: beyond it closing is cheaper. */
const MOST_DISCARDED = 1024 * 1024;
const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n");
/** Of longer heads no key is made. */
const LONGEST_KEY = 4096;

/**
 * A bot's connection with HTTP/1.1 requests of the plain kind, answered one after the other. At the
 * first unusual one the connection is handed over, before anything of that request was acted on.
 *
 * A bot that closes its half has gone away: nothing tells a finished program from one that waits.
 */
export class BotConnection {
  readonly socket: Socket;
  readonly #user: BotConnectionUser;
  #visit: H1Visit | undefined;
  #reading: H1Visit | undefined;
  /** Of the body that is being read. */
  #bodyLeft = 0;
  #rest: Buffer = NOTHING;
  #searched = 0;
  #closing = false;
  #discarded = 0;
  #over = false;
  /** Sweeps since it waits: for a request, for the rest of a head, for the bot to close. */
  #sweeps = 0;

  constructor(socket: Socket, user: BotConnectionUser) {
    this.socket = socket;
    this.#user = user;
    socket.on("data", this.#onData);
    socket.on("drain", this.#onDrain);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
  }

  /** Whether nothing runs on it and nothing of a request is there. */
  get idle(): boolean {
    return this.#visit === undefined && this.#rest.length === 0;
  }

  /**
   * Called at equal intervals.
   *
   * @param head how many of them a request's head may take, and the bot to close when it was told to.
   * @param idle how many may pass between requests.
   */
  sweep(head: number, idle: number): void {
    if (this.#visit !== undefined) return;
    this.#sweeps += 1;
    if (this.#closing || this.#rest.length === 0) {
      if (this.#sweeps > (this.#closing ? head : idle)) this.destroy();
    } else if (this.#sweeps > head) this.#refuse("request-slow");
  }

  destroy(): void {
    this.socket.destroy();
    this.#leave();
  }

  /** Called by the reply once its last byte was handed to the system. */
  answered(last: boolean): void {
    this.#visit = undefined;
    this.#sweeps = 0;
    if (last || this.#bodyLeft > MOST_DISCARDED) {
      // Told, and given the time to read it: closing at once would be a reset that overtakes the answer.
      this.#closing = true;
      this.#rest = NOTHING;
      this.socket.end();
      this.socket.resume();
      return;
    }
    this.#reading?.discardBody(MOST_DISCARDED);
    if (this.socket.isPaused()) this.socket.resume();
    if (this.#bodyLeft === 0 && this.#rest.length > 0) this.#readNext();
  }

  /** Called by the visit that goes on as another protocol: the socket is paused, what came since put back. */
  detach(): void {
    const { socket } = this;
    this.#stopListening();
    this.#over = true;
    this.#user.closed(this);
    socket.pause();
    if (this.#rest.length > 0) socket.unshift(this.#rest);
    this.#rest = NOTHING;
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#closing) {
      this.#discarded += chunk.length;
      if (this.#discarded > MOST_DISCARDED) this.destroy();
      return;
    }
    if (this.#bodyLeft > 0) this.#readBody(chunk);
    else if (this.#visit === undefined) {
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
      this.#readNext();
    } else this.#keep(chunk);
  };

  readonly #onDrain = (): void => {
    this.#visit?.onDrain();
  };

  readonly #onEnd = (): void => {
    if (this.#visit === undefined && this.#rest.length > 0 && !this.#closing)
      this.#refuse("malformed-request");
    else this.destroy();
  };

  readonly #onClose = (): void => {
    this.#leave();
  };

  #readNext(): void {
    const end = this.#rest.indexOf(HEAD_END, this.#searched);
    const key =
      end < 0 || end > LONGEST_KEY ? undefined : headKey(this.#rest.toString("latin1", 0, end + 2));
    if (key !== undefined && this.#startQuick(key, end + HEAD_END.length)) return;
    const parsed = parseRequest(this.#rest, this.#searched);
    if (parsed === "unusual") {
      this.#handOver();
      return;
    }
    if (parsed === "more") {
      this.#searched = Math.max(0, this.#rest.length - 3);
      return;
    }
    const after = this.#rest.subarray(parsed.size);
    this.#rest = NOTHING;
    this.#searched = 0;
    const visit = new H1Visit(this, headOf(parsed), {
      persistent: parsed.persistent,
      length: parsed.length,
      key,
    });
    this.#visit = visit;
    this.#bodyLeft = parsed.length;
    if (parsed.length > 0) {
      this.#reading = visit;
      if (after.length > 0) this.#readBody(after);
    } else if (after.length > 0) this.#keep(after);
    if (!this.#over) this.#user.visit(visit);
  }

  /** Where nothing but one whole request is there. */
  #startQuick(key: HeadKey, size: number): boolean {
    const body = this.#rest.subarray(size);
    if (key.length !== undefined && key.length !== body.length) return false;
    const quick = this.#user.quick(key, body);
    if (quick === undefined) return false;
    this.#rest = NOTHING;
    this.#searched = 0;
    const { head, persistent } = quick;
    const visit = new H1Visit(this, head, { persistent, length: 0, key: undefined });
    this.#visit = visit;
    quick.start(visit);
    return true;
  }

  #readBody(chunk: Buffer): void {
    const part = chunk.length <= this.#bodyLeft ? chunk : chunk.subarray(0, this.#bodyLeft);
    this.#bodyLeft -= part.length;
    const visit = this.#reading;
    const end = this.#bodyLeft === 0;
    if (end) this.#reading = undefined;
    if (visit?.take(part, end) === false) this.socket.pause();
    if (part.length === chunk.length) return;
    const after = chunk.subarray(part.length);
    if (this.#visit === undefined) {
      this.#rest = after;
      this.#readNext();
    } else this.#keep(after);
  }

  /** Bytes of requests whose turn hasn't come. */
  #keep(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#rest.length <= MUCH) return;
    // The bot can go away unseen now, but each further byte would be memory it hasn't paid for.
    if (countRequests(this.#rest) < MOST_PIPELINED) this.socket.pause();
    else this.#refuse("too-many-connections");
  }

  #handOver(): void {
    this.detach();
    this.#user.handOver(this.socket);
    this.socket.resume();
  }

  #refuse(code: RefusalCode): void {
    this.#stopListening();
    this.#user.refuse(code, this.#visit === undefined);
    this.#leave();
  }

  #stopListening(): void {
    this.socket.off("data", this.#onData);
    this.socket.off("drain", this.#onDrain);
    this.socket.off("end", this.#onEnd);
    this.socket.off("close", this.#onClose);
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#rest = NOTHING;
    this.#visit?.leave();
    this.#visit = undefined;
    this.#user.closed(this);
  }
}

function headOf({ method, target, headers, upgrade }: ParsedRequest): VisitHead {
  const head = { method, target, version: "1.1", headers } as const;
  return upgrade ? { ...head, upgrade: "websocket" } : head;
}

/** At most as many as are too many. */
function countRequests(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; count < MOST_PIPELINED && at < bytes.length; count += 1) {
    const parsed = parseRequest(bytes.subarray(at), 0);
    if (parsed === "more" || parsed === "unusual") break;
    at += parsed.size + parsed.length;
  }
  return count;
}
