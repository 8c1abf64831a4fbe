import { chromium, type Browser as Chromium, type BrowserContext } from "playwright-core";
import type { RenderedPage, ToInside } from "../messages.ts";
import { render } from "./render.ts";

/** Nothing is at this address of the proxy but what belongs to no call. */
const PROXY = "http://127.0.0.1:3128";
const LAUNCH_MS = 25_000;
/** A page whose script never ends keeps its context from closing. */
const CLOSE_MS = 5_000;

/**
 * What Chromium does without being asked is off as far as it lets itself be; what remains goes to
 * the proxy, belongs to no call, and ends there.
 */
const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-domain-reliability",
  "--disable-breakpad",
  "--no-pings",
  "--no-default-browser-check",
  "--disable-extensions",
  "--disable-plugins-discovery",
  "--disable-webgl",
  "--disable-notifications",
  "--disable-speech-api",
  "--disable-file-system",
  "--mute-audio",
  "--dns-prefetch-disable",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--js-flags=--max-old-space-size=512",
];

/** One Chromium, and the calls that run in it, each in a context of its own that ends with it. */
export class Browser {
  readonly #chromium: Chromium;
  readonly #broken: (reason: string) => void;
  readonly #running = new Map<number, BrowserContext>();

  private constructor(chromium: Chromium, broken: (reason: string) => void) {
    this.#chromium = chromium;
    this.#broken = broken;
  }

  /** @param broken is called when it has ended or can't be trusted to go on. */
  static async launch(
    { spki, executable }: Extract<ToInside, { type: "hello" }>,
    broken: (reason: string) => void,
  ): Promise<Browser> {
    const launched = await chromium.launch({
      executablePath: executable,
      headless: true,
      // Its own sandbox needs user namespaces, which the wall round it forbids: docs/browser-fetch.md.
      chromiumSandbox: false,
      timeout: LAUNCH_MS,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      env: { HOME: "/tmp", PATH: "/usr/bin", LANG: "C.UTF-8", TZ: "UTC" },
      args: [
        ...FLAGS,
        `--proxy-server=${PROXY}`,
        // Else it would go to loopback addresses by itself.
        "--proxy-bypass-list=<-loopback>",
        // The gate shows one certificate for every host; it has checked the real one.
        `--ignore-certificate-errors-spki-list=${spki}`,
      ],
    });
    const browser = new Browser(launched, broken);
    launched.once("disconnected", () => broken("Chromium has ended"));
    return browser;
  }

  get version(): string {
    return this.#chromium.version();
  }

  /** @throws PageError */
  async render(order: Extract<ToInside, { type: "render" }>): Promise<RenderedPage> {
    const { id, address, milliseconds, request } = order;
    const context = await this.#chromium.newContext({
      proxy: { server: `http://${address}:3128`, bypass: "<-loopback>" },
      acceptDownloads: false,
      serviceWorkers: "block",
      permissions: [],
      viewport: { width: request.width, height: request.height },
      locale: "en-GB",
      timezoneId: "UTC",
      reducedMotion: "reduce",
    });
    this.#running.set(id, context);
    try {
      return await render(context, request, milliseconds);
    } finally {
      this.#running.delete(id);
      await this.#close(context);
    }
  }

  /** Ends a call, which then fails. */
  cancel(id: number): void {
    const context = this.#running.get(id);
    if (context !== undefined) void this.#close(context);
  }

  async #close(context: BrowserContext): Promise<void> {
    const timer = setTimeout(() => this.#broken("a page could not be closed"), CLOSE_MS);
    await context.close().catch(() => undefined);
    clearTimeout(timer);
  }
}
