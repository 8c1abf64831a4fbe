import type { FromInside, PageLink, RenderedPage } from "../messages.ts";

const MOST_LINKS = 1000;
const MOST_SCREENSHOT = 24 * 1024 * 1024;

/**
 * What the program inside the browser's wall says, or undefined: a page may have taken it over, so its
 * words have the right types and sizes here, and still are only a page's words.
 */
export function readFromInside(line: string): FromInside | undefined {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(said)) return undefined;
  const id = Number(said["id"]);
  switch (said["type"]) {
    case "ready":
      return { type: "ready", version: text(said["version"], 100) };
    case "failed":
      return {
        type: "failed",
        id,
        code: text(said["code"], 60),
        message: text(said["message"], 300),
      };
    case "rendered": {
      const page = readPage(said["page"]);
      return page === undefined ? undefined : { type: "rendered", id, page };
    }
    default:
      return undefined;
  }
}

function readPage(value: unknown): RenderedPage | undefined {
  if (!isObject(value) || typeof value["markdown"] !== "string") return undefined;
  const { byline, excerpt, site, language, links, screenshot, status } = value;
  return {
    url: text(value["url"], 8192),
    status: Number.isSafeInteger(status) ? Number(status) : 0,
    title: text(value["title"], 500),
    ...optional("byline", byline, 300),
    ...optional("excerpt", excerpt, 1000),
    ...optional("site", site, 200),
    ...optional("language", language, 40),
    markdown: value["markdown"],
    cut: value["cut"] === true,
    complete: value["complete"] === true,
    ...(Array.isArray(links) ? { links: links.slice(0, MOST_LINKS).flatMap(readLink) } : {}),
    ...(typeof screenshot === "string" && screenshot.length <= MOST_SCREENSHOT
      ? { screenshot }
      : {}),
  };
}

function readLink(value: unknown): readonly PageLink[] {
  if (!isObject(value) || typeof value["url"] !== "string") return [];
  return [{ text: text(value["text"], 300), url: text(value["url"], 2000) }];
}

function optional<Name extends string>(
  name: Name,
  value: unknown,
  longest: number,
): Partial<Record<Name, string>> {
  if (typeof value !== "string" || value === "") return {};
  return { [name]: value.slice(0, longest) } as Partial<Record<Name, string>>;
}

function text(value: unknown, longest: number): string {
  return typeof value === "string" ? value.slice(0, longest) : "";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
