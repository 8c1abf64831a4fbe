import type { JsonObject } from "../../../plan/index.ts";
import type {
  CommandHandler,
  HandledRequest,
  HandlerEnd,
  HandlerReply,
  HandlerTools,
} from "../Handler.ts";

const MOST_PAGE_BYTES = 8 * 1024 * 1024;
const MOST_FILE_BYTES = 512 * 1024 * 1024;
const MOST_RESULTS = 100;
const MOST_TEXT = 300;

/**
 * Searching reads the page that people see, since there is no other; a book is whatever links to `/md5/…`, and
 * what it says of itself the text of those links. Downloading asks for an address with the member's key and
 * fetches that without it.
 */
export const annasArchive: CommandHandler = {
  name: "annas-archive",
  run(request, tools) {
    return request.operation === "search" ? search(request, tools) : download(request, tools);
  },
};

async function search({ input }: HandledRequest, tools: HandlerTools): Promise<HandlerEnd> {
  const query = new URLSearchParams();
  for (const name of ["q", "ext", "lang", "page"]) {
    const value = input[name];
    if (typeof value === "string" || typeof value === "number") query.set(name, `${value}`);
  }
  const reply = await tools.call({
    method: "GET",
    target: `/search?${query.toString()}`,
    anonymous: true,
    mostBytes: MOST_PAGE_BYTES,
  });
  const failed = failureOf(reply);
  if (failed !== undefined) return failed;
  return { end: "done", value: { results: readResults(reply.body.toString()) } };
}

async function download({ input }: HandledRequest, tools: HandlerTools): Promise<HandlerEnd> {
  const { md5: given } = input;
  const md5 = typeof given === "string" ? given.toLowerCase() : "";
  if (!/^[0-9a-f]{32}$/.test(md5))
    return { end: "usage", message: "md5 has 32 hexadecimal digits" };
  const reply = await tools.call({
    method: "GET",
    target: `/dyn/api/fast_download.json?md5=${md5}`,
    mostBytes: 64 * 1024,
  });
  const failed = failureOf(reply);
  if (failed !== undefined) return failed;
  const url = readUrl(reply.body.toString());
  if (url === undefined)
    return {
      end: "failed",
      code: "no-address",
      message: "the archive gave no address for this file",
    };
  const end = await tools.fetchPublic(url, MOST_FILE_BYTES);
  if (end.end === "done") return { end: "done" };
  return {
    end: "failed",
    code: end.code,
    message: "the file could not be fetched from where it lies",
  };
}

function failureOf({ status, refused }: HandlerReply): HandlerEnd | undefined {
  if (refused !== undefined)
    return { end: "refused", code: refused, message: "the call was not made" };
  return status === 200
    ? undefined
    : { end: "failed", code: `http-${status}`, message: `the archive answered ${status}` };
}

/** The books a page of results links to, each once. */
export function readResults(html: string): JsonObject[] {
  const found = new Map<string, string[]>();
  for (const [, md5 = "", inner = ""] of html.matchAll(
    /<a\b[^>]{0,2000}?href="\/md5\/([0-9a-f]{32})"[^>]{0,2000}>([^]{0,5000}?)<\/a>/gi,
  )) {
    const text = textOf(inner);
    const texts = found.get(md5) ?? [];
    if (text !== "" && !texts.includes(text)) texts.push(text);
    found.set(md5, texts);
    if (found.size >= MOST_RESULTS) break;
  }
  return [...found].map(([md5, texts]) => ({ md5, title: texts[0] ?? "", more: texts.slice(1) }));
}

function textOf(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/&(amp|lt|gt|quot|#39|nbsp);/g, (whole) => ENTITIES[whole] ?? whole)
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, MOST_TEXT);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": " ",
};

function readUrl(text: string): string | undefined {
  try {
    const { download_url: url } = JSON.parse(text) as { download_url?: unknown };
    return typeof url === "string" ? url : undefined;
  } catch {
    return undefined;
  }
}
