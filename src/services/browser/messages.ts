/** What an agent asks for, its input checked; the same from the broker to the browser. */
export interface PageRequest {
  readonly operation: "fetch" | "screenshot";
  readonly url: string;
  /** `load` = once everything the document names is there; `idle` = and the network has been quiet. */
  readonly wait: "load" | "idle";
  /** Whether links are wanted. */
  readonly links: boolean;
  /** Of Markdown. */
  readonly mostCharacters: number;
  readonly fullPage: boolean;
  readonly width: number;
  readonly height: number;
}

/** What a bot's grant says. Everything else is refused. */
export interface BrowserRules {
  /**
   * Host names as `example.org`, `*.example.org` (and not `example.org` itself) or `*`, with a port
   * after a colon where it is neither 80 nor 443.
   */
  readonly hosts: readonly string[];
  /** Networks, as `10.0.0.0/8`, whose private addresses are allowed besides public ones. */
  readonly networks: readonly string[];
  /** PEM of CAs that are trusted in place of the public ones. */
  readonly ca?: string;
  /** For loading one page; what there is by then is read. */
  readonly seconds: number;
  /** Of all that one call's page loads, decoded. */
  readonly bytes: number;
}

export const USUAL_SECONDS = 30;
export const USUAL_BYTES = 25 * 1024 * 1024;

/** A page as the browser had it. All text is the page's own and not to be trusted. */
export interface RenderedPage {
  /** Where it came from in the end. */
  readonly url: string;
  /** Of the document; 0 where there was none. */
  readonly status: number;
  readonly title: string;
  readonly byline?: string;
  readonly excerpt?: string;
  readonly site?: string;
  readonly language?: string;
  /** The main content; of the whole body where no main content was found. */
  readonly markdown: string;
  /** Whether `markdown` was cut. */
  readonly cut: boolean;
  /** Whether the page had loaded before the time was over. */
  readonly complete: boolean;
  readonly links?: readonly PageLink[];
  /** PNG in base64. */
  readonly screenshot?: string;
}

export interface PageLink {
  readonly text: string;
  readonly url: string;
}

/** A request of a page that was not made. */
export interface RefusedRequest {
  readonly url: string;
  readonly code: string;
}

/** The answer to one call. */
export type PageReply =
  | {
      readonly end: "done";
      readonly page: RenderedPage;
      /** What the page asked for and didn't get, in order; at most `MOST_REFUSED`. */
      readonly refused: readonly RefusedRequest[];
      readonly bytes: number;
      readonly requests: number;
    }
  /** The grant doesn't allow it. */
  | { readonly end: "refused"; readonly code: string; readonly message: string }
  /** It is allowed, and couldn't be had. */
  | { readonly end: "failed"; readonly code: string; readonly message: string };

export const MOST_REFUSED = 50;

/** Ports inside the browser's wall: the explicit proxy, and where the program inside gets its orders. */
export const PROXY_PORT = 3128;
export const CONTROL_PORT = 3129;

/** Gate → program inside, one JSON object a line. */
export type ToInside =
  /** `spki`: base64 of SHA-256 of the public key that the gate shows for every host. */
  | { readonly type: "hello"; readonly spki: string; readonly executable: string }
  | {
      readonly type: "render";
      readonly id: number;
      /** The proxy's address that is this call's own. */
      readonly address: string;
      readonly milliseconds: number;
      readonly request: PageRequest;
    }
  /** Nobody waits for this one any more. */
  | { readonly type: "cancel"; readonly id: number };

/** Program inside → gate, one JSON object a line. Nothing of it is believed without a look. */
export type FromInside =
  | { readonly type: "ready"; readonly version: string }
  | { readonly type: "rendered"; readonly id: number; readonly page: RenderedPage }
  | {
      readonly type: "failed";
      readonly id: number;
      readonly code: string;
      readonly message: string;
    };

/** Supervisor → gate, over the IPC channel. */
export type ToGate =
  | {
      readonly type: "configure";
      /** By `bot`; one grant each. */
      readonly bots: readonly { readonly bot: string; readonly rules: BrowserRules }[];
      /** What the gate shows inside for every host, PEM. */
      readonly certificate: { readonly chain: string; readonly key: string };
      /** The browser's path inside its wall. */
      readonly executable: string;
    }
  /** Comes with a socket that was made in the browser's network. */
  | {
      readonly type: "listener";
      readonly bot: string;
      readonly protocol: "tcp" | "udp";
      readonly port: number;
      readonly family: 4 | 6;
    }
  /** A bot's browser has ended, or could not be started. */
  | { readonly type: "browser-ended"; readonly bot: string; readonly reason: string }
  /** Comes with a connected socket: one request of this bot's, and its answer. */
  | { readonly type: "call"; readonly bot: string }
  | { readonly type: "stop" };

/** Gate → supervisor. */
export type FromGate =
  | { readonly type: "started" }
  | { readonly type: "configured" }
  | { readonly type: "start-browser"; readonly bot: string }
  /** It isn't needed any more, or has to be started anew. */
  | { readonly type: "stop-browser"; readonly bot: string };
