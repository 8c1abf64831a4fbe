import type { BrowserContext, Page, Response } from "playwright-core";
import type { PageRequest, RenderedPage } from "../messages.ts";
import { extract, prepareReader } from "./extract.ts";
import { PageError } from "./PageError.ts";

const REFUSED_HEADER = "x-seawall-refused";
/** How long the network has to say nothing, at most, for a page that is always busy. */
const QUIET_MS = 4_000;
/** For reading what has loaded, at most. */
const READING_MS = 8_000;
const LONGEST_HTML = 12 * 1024 * 1024;
/** Chromium draws in memory: a page of any height would be drawn whole. */
const MOST_HEIGHT = 10_000;

/**
 * Opens one page and reads it, in a context that belongs to this call alone.
 *
 * @param milliseconds for loading; what there is by then is read, for which there is as much time again.
 * @throws PageError
 */
export async function render(
  context: BrowserContext,
  request: PageRequest,
  milliseconds: number,
): Promise<RenderedPage> {
  const deadline = Date.now() + milliseconds;
  const left = (): number => Math.max(1, deadline - Date.now());
  const reading = Math.min(READING_MS, milliseconds);
  const page = await context.newPage();
  const trouble = watch(context, page);
  const reader = request.operation === "fetch" ? openReader(context) : undefined;
  reader?.catch(() => undefined);
  const complete = await Promise.race([open(page, request, left, trouble), trouble.over]);
  const document = trouble.document();
  if (document === undefined) throw new PageError("no-page", "there is no document");
  if (document.headers()[REFUSED_HEADER] !== undefined)
    throw new PageError("page-refused", document.url());
  const common = { url: document.url(), status: document.status(), complete };
  if (request.operation === "screenshot") {
    const screenshot = await Promise.race([draw(page, request), trouble.over]);
    const title = await within(page.title(), reading);
    return {
      ...common,
      title,
      markdown: "",
      cut: false,
      screenshot: screenshot.toString("base64"),
    };
  }
  if (reader === undefined) throw new PageError("no-page", "there is nobody to read it");
  const html = await Promise.race([within(sourceOf(context, page), reading), trouble.over]);
  const extracted = await within(
    extract(await reader, { html: html.slice(0, LONGEST_HTML), url: document.url() }, request),
    reading,
  );
  return { ...common, ...extracted };
}

interface Trouble {
  /** Only ever rejects: with what makes going on pointless. */
  readonly over: Promise<never>;
  /** The last document that the page itself was given, however it was led there. */
  readonly document: () => Response | undefined;
}

function watch(context: BrowserContext, page: Page): Trouble {
  const { promise: over, reject } = Promise.withResolvers<never>();
  over.catch(() => undefined);
  let document: Response | undefined;
  page.on("response", (response) => {
    const asked = response.request();
    if (asked.isNavigationRequest() && response.frame() === page.mainFrame()) document = response;
  });
  page.on("crash", () => reject(new PageError("page-crashed", "the page crashed its renderer")));
  page.on("download", () => reject(new PageError("download", "a file")));
  page.on("dialog", (dialog) => void dialog.dismiss().catch(() => undefined));
  // What the page opens goes before it can load anything.
  page.on("popup", (popup) => void popup.close().catch(() => undefined));
  context.on("weberror", () => undefined);
  return { over, document: () => document };
}

async function openReader(context: BrowserContext): Promise<Page> {
  const reader = await context.newPage();
  await prepareReader(reader);
  return reader;
}

/** @returns whether it had loaded before the time was over. */
async function open(
  page: Page,
  { url, wait }: PageRequest,
  left: () => number,
  trouble: Trouble,
): Promise<boolean> {
  try {
    await page.goto(url, { waitUntil: "commit", timeout: left() });
  } catch (error) {
    if (isTimeout(error)) throw new PageError("timeout", "the host didn't answer in time");
    const message = error instanceof Error ? error.message : "";
    if (/Download is starting/.test(message)) throw new PageError("download", "a file");
    // Led elsewhere while it loaded: what counts is what it was led to.
    if (!/interrupted by another navigation/.test(message) && trouble.document() === undefined)
      throw new PageError("no-page", firstLine(message));
  }
  try {
    await page.waitForLoadState("load", { timeout: left() });
    if (wait === "idle")
      await page
        .waitForLoadState("networkidle", { timeout: Math.min(QUIET_MS, left()) })
        .catch(() => undefined);
    return true;
  } catch {
    return false;
  }
}

/** The document as it is now, from the browser itself: nothing of the page's is called for it. */
async function sourceOf(context: BrowserContext, page: Page): Promise<string> {
  const session = await context.newCDPSession(page);
  const { root } = await session.send("DOM.getDocument", { depth: 0 });
  const { outerHTML } = await session.send("DOM.getOuterHTML", {
    backendNodeId: root.backendNodeId,
  });
  return outerHTML;
}

async function draw(page: Page, { fullPage, width }: PageRequest): Promise<Buffer> {
  const options = { type: "png", timeout: 10_000, animations: "disabled" } as const;
  if (!fullPage) return page.screenshot(options);
  const height = await within(
    page.evaluate<number>("document.documentElement.scrollHeight"),
    READING_MS,
  );
  if (height <= MOST_HEIGHT) return page.screenshot({ ...options, fullPage: true });
  return page.screenshot({
    ...options,
    fullPage: true,
    clip: { x: 0, y: 0, width, height: MOST_HEIGHT },
  });
}

async function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new PageError("timeout", "the page is too busy to be read")),
    milliseconds,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
