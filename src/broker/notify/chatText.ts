import type { Ask } from "../protocol.ts";

/** Those beyond are only counted: Discord takes 2000 characters. */
const MOST_LISTED = 5;
const LONGEST_CALL = 240;

/**
 * What the owner reads in a chat: who wants what, and how to answer. Nothing in it that a bot chose can
 * begin a line, make a link, a mention, a command or any markup in any of the services: what isn't a letter,
 * digit or slash of a path is percent-encoded, and dots stand in brackets, since programs that show
 * messages make links of bare host names.
 *
 * @param scrub takes whatever must not be shown out of a text.
 */
export function chatText(asks: readonly Ask[], scrub: (text: string) => string): string {
  const lines = asks
    .slice(0, MOST_LISTED)
    .map(
      (ask) =>
        `${describe(ask, scrub)} - answer with: seawall approve ${ask.id.slice(0, 8)} --once`,
    );
  const more = asks.length - lines.length;
  const title =
    asks.length === 1
      ? "Seawall: a call waits for your word"
      : `Seawall: ${asks.length} calls wait for your word`;
  return [title, ...lines, ...(more > 0 ? [`and ${more} more, see: seawall approve`] : [])].join(
    "\n",
  );
}

function describe(
  { bot, host, method, path, detail }: Ask,
  scrub: (text: string) => string,
): string {
  const [, name = "", port = ""] = /^(.*?)((?::\d{1,5})?)$/s.exec(host) ?? [];
  const where = `${neutral(scrub(name))}${port}`;
  const what =
    method === undefined
      ? `connect to ${where}`
      : `${neutral(method)} ${where}${neutralPath(scrub(path ?? ""))}`;
  const call = detail === undefined ? what : `${what}, with links to ${list(scrub(detail))}`;
  const cut = call.length > LONGEST_CALL ? `${call.slice(0, LONGEST_CALL)} and so on` : call;
  return `${neutral(bot)}: ${cut}`;
}

function neutral(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9.-]/gu, encode).replaceAll(".", "[.]");
}

/** Slashes and the braces of `{secret}` stay; two slashes would be the beginning of an address. */
function neutralPath(text: string): string {
  return text
    .split("/")
    .map((segment) =>
      segment
        .split(/([{}?])/)
        .map((part, at) => (at % 2 === 1 ? part : neutral(part)))
        .join(""),
    )
    .join("/")
    .replaceAll(/\/{2,}/g, (slashes) => "%2F".repeat(slashes.length));
}

function list(detail: string): string {
  return detail.split(", ").map(neutral).join(", ");
}

function encode(char: string): string {
  return [...Buffer.from(char)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}
