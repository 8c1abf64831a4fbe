import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import type { PageLink } from "../messages.ts";

const MOST_LINKS = 1000;

export interface Extracted {
  readonly title: string;
  readonly byline?: string;
  readonly excerpt?: string;
  readonly site?: string;
  readonly language?: string;
  readonly markdown: string;
  readonly cut: boolean;
  readonly links?: readonly PageLink[];
}

/** Readability and Turndown as one text that a page can run; both are made for browsers. */
const LIBRARIES = readLibraries();

function readLibraries(): string {
  const require = createRequire(import.meta.url);
  const readability = readFileSync(require.resolve("@mozilla/readability/Readability.js"), "utf8");
  const turndown = readFileSync(
    join(dirname(require.resolve("turndown/package.json")), "dist/turndown.js"),
    "utf8",
  );
  return `(() => {
    const module = undefined;
    ${readability}
    ${turndown}
    globalThis.seawallLibraries = { Readability, TurndownService };
  })()`;
}

/** Makes an empty page ready to read documents. */
export async function prepareReader(reader: Page): Promise<void> {
  await reader.evaluate(LIBRARIES);
}

/**
 * Reads a document's text in an empty page of the same context. The document is parsed and never run
 * there: no script of it, no request. What it had been made to by its own scripts is in the text.
 */
export async function extract(
  reader: Page,
  source: { readonly html: string; readonly url: string },
  wanted: { readonly links: boolean; readonly mostCharacters: number },
): Promise<Extracted> {
  return reader.evaluate(readDocument, { ...source, ...wanted, mostLinks: MOST_LINKS });
}

/** Runs in the browser: it may use nothing but its argument and what `prepareReader` left there. */
function readDocument(job: {
  readonly html: string;
  readonly url: string;
  readonly links: boolean;
  readonly mostCharacters: number;
  readonly mostLinks: number;
}): Extracted {
  const { DOMParser, seawallLibraries } = globalThis as unknown as InPage;
  const { Readability, TurndownService } = seawallLibraries;
  const page = new DOMParser().parseFromString(job.html, "text/html");
  const said = page.querySelector("base[href]")?.getAttribute("href") ?? "";
  const baseUrl = URL.canParse(said, job.url) ? new URL(said, job.url).href : job.url;
  for (const old of page.querySelectorAll("base")) old.remove();
  const base = page.createElement("base");
  base.href = baseUrl;
  page.head.prepend(base);

  const webAddress = (element: PageElement, name: string): string | undefined => {
    const value = element.getAttribute(name) ?? "";
    if (!URL.canParse(value, baseUrl)) return undefined;
    const { href, protocol } = new URL(value, baseUrl);
    return protocol === "http:" || protocol === "https:" ? href : undefined;
  };
  const links: { text: string; url: string }[] = [];
  const seen = new Set<string>();
  for (const anchor of job.links ? page.querySelectorAll("a[href]") : []) {
    const url = webAddress(anchor, "href");
    if (url === undefined || seen.has(url) || links.length >= job.mostLinks) continue;
    seen.add(url);
    links.push({
      text: (anchor.textContent ?? "").replaceAll(/\s+/g, " ").trim().slice(0, 200),
      url,
    });
  }

  const title = page.title.trim();
  const language = page.documentElement.getAttribute("lang") ?? "";
  const whole = page.cloneNode(true);
  let article: Article | null = null;
  try {
    article = new Readability(page, { maxElemsToParse: 60_000 }).parse();
  } catch {
    // Too many elements, or none that it can work with: the whole body it is.
  }
  const content =
    article === null || article.textContent.trim().length < 25
      ? withoutNoise(whole)
      : new DOMParser().parseFromString(article.content, "text/html").body;
  for (const element of content.querySelectorAll("[href],[src]"))
    for (const name of ["href", "src"]) {
      if (!element.hasAttribute(name)) continue;
      const url = webAddress(element, name);
      if (url === undefined) element.removeAttribute(name);
      else element.setAttribute(name, url);
    }
  const markdown = new TurndownService({
    headingStyle: "atx",
    codeBlockStyle: "fenced",
    bulletListMarker: "-",
    emDelimiter: "*",
  })
    .turndown(content)
    .trim();
  return {
    title: title === "" ? (article?.title ?? "") : title,
    ...(article?.byline ? { byline: article.byline } : {}),
    ...(article?.excerpt ? { excerpt: article.excerpt } : {}),
    ...(article?.siteName ? { site: article.siteName } : {}),
    ...(language === "" ? {} : { language }),
    markdown: markdown.slice(0, job.mostCharacters),
    cut: markdown.length > job.mostCharacters,
    ...(job.links ? { links } : {}),
  };

  function withoutNoise(from: PageDocument): PageElement {
    for (const noise of from.querySelectorAll("script,style,noscript,template,svg,iframe"))
      noise.remove();
    return from.body;
  }
}

/** What of the browser's own classes is used here; Node's types don't have them. */
interface InPage {
  readonly DOMParser: new () => {
    parseFromString(text: string, type: "text/html"): PageDocument;
  };
  readonly seawallLibraries: {
    readonly Readability: new (
      page: PageDocument,
      options: { readonly maxElemsToParse: number },
    ) => { parse(): Article | null };
    readonly TurndownService: new (options: Readonly<Record<string, string>>) => {
      turndown(node: PageElement): string;
    };
  };
}

interface PageElement {
  href: string;
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  hasAttribute(name: string): boolean;
  removeAttribute(name: string): void;
  querySelectorAll(selectors: string): Iterable<PageElement>;
  prepend(child: PageElement): void;
  remove(): void;
}

interface PageDocument {
  readonly title: string;
  readonly head: PageElement;
  readonly body: PageElement;
  readonly documentElement: PageElement;
  createElement(name: string): PageElement;
  cloneNode(deep: true): PageDocument;
  querySelector(selectors: string): PageElement | null;
  querySelectorAll(selectors: string): Iterable<PageElement>;
}

interface Article {
  readonly title: string;
  readonly content: string;
  readonly textContent: string;
  readonly byline: string | null;
  readonly excerpt: string | null;
  readonly siteName: string | null;
}
