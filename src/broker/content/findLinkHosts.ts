/**
 * Hosts that some chat would make a link of, in ASCII and lower case; what has no valid host stands
 * here as it was written. Chats differ in what they take for a link, so a text is read in several
 * ways and everything that any of them finds counts:
 *
 * - any `scheme://`, and `http:` with fewer slashes or backslashes, wherever it stands (in `<…>`,
 *   `[…](…)`, `<url|text>`, HTML attributes), and every name in its authority: `a@b`, `a\@b`, `a,b`;
 * - `//host/path` and `www.` names;
 * - bare names with a path, port or query, and bare names of three or more labels that end in a
 *   top-level domain. Two labels alone (`README.md`) aren't counted: they carry nothing out.
 *
 * Read as it is, without invisible characters and with a blank in their place, with HTML entities
 * resolved, with percent-encoding undone, without markup (`*`, `_`, `~`, tags) and backslashes;
 * full-width and other dots count as dots.
 */
export function findLinkHosts(text: string): Set<string> {
  const hosts = new Set<string>();
  for (const reading of readingsOf(text)) {
    findUrls(reading, hosts);
    findBareNames(reading, hosts);
  }
  return hosts;
}

/** What a font shows nothing for: format characters, variation selectors, fillers (`Default_Ignorable_Code_Point`). */
const INVISIBLE = /\p{DI}|\p{Cf}/gu;

function readingsOf(text: string): Set<string> {
  const readings = new Set<string>();
  const add = (reading: string): void => {
    const folded = reading.normalize("NFKC").replaceAll(/[\u3002\uff0e\uff61\u2024]/g, ".");
    readings.add(folded);
    // Markup ends where the text that is shown goes on.
    readings.add(folded.replaceAll(/<\/?[a-z][^<>]*>/gi, "").replaceAll(/[*_~|`\\]/g, ""));
  };
  for (const base of new Set([text, decodeEntities(text)])) {
    add(base);
    if (base.search(INVISIBLE) >= 0) {
      add(base.replaceAll(INVISIBLE, ""));
      add(base.replaceAll(INVISIBLE, " "));
    }
    if (base.includes("%")) add(decodePercents(base));
  }
  return readings;
}

const ENTITIES: Readonly<Record<string, string>> = {
  colon: ":",
  sol: "/",
  bsol: "\\",
  period: ".",
  num: "#",
  quest: "?",
  commat: "@",
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  lpar: "(",
  rpar: ")",
  lowbar: "_",
  hyphen: "-",
  Tab: "\t",
  NewLine: "\n",
  ZeroWidthSpace: "\u200b",
};

/** Numeric entities and those named ones that a URL can be written with; the semicolon may be missing. */
function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]{2,14}));?/gi,
    (all, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return ENTITIES[name] ?? all;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
    },
  );
}

/** Percent triples of ASCII characters undone, the others left. */
function decodePercents(text: string): string {
  return text.replaceAll(/%([2-7][0-9a-f])/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Schemes in which a URL has a host however its slashes are written (https://url.spec.whatwg.org/#special-scheme). */
const SPECIAL = /^(?:https?|wss?|ftp)$/i;
const URL_START = /([a-z][a-z0-9+.-]{0,30}):([\\/\t\n\r]*)|(?<![^\s<>"'()[\]{}=|,;])[\\/]{2}/gi;
/** A host has 253 characters at most; what has more before its host is found to lead to no known one. */
const MOST_AUTHORITY = 300;

function findUrls(text: string, hosts: Set<string>): void {
  const seen = new Set<string>();
  for (const { index, 0: all, 1: scheme = "", 2: slashes = "" } of text.matchAll(URL_START)) {
    // Schemes may be glued to a word before them: `seehttps://…` is a link to some.
    const special = SPECIAL.test(scheme) || /(?:https?|wss?|ftp)$/i.test(scheme);
    if (scheme !== "" && slashes.replaceAll(/[\t\n\r]/g, "").length < 2 && !special) continue;
    const from = index + all.length;
    // Line breaks and tabs within a URL are taken out by browsers, and end it elsewhere.
    const rest = text.slice(from, from + MOST_AUTHORITY);
    for (const each of new Set([rest, rest.replaceAll(/[\t\n\r]/g, "")])) {
      const [authority = ""] = /^[^\s/?#<>"`]*/.exec(each) ?? [];
      const key = `${scheme === "" ? "" : ":"}//${authority}`;
      if (!seen.has(key)) addAuthority(authority, hosts, scheme === "");
      seen.add(key);
    }
  }
}

/**
 * Every name in an authority: what reads it otherwise might dial any of them.
 *
 * @param loose whether one without a dot is no host at all.
 */
function addAuthority(authority: string, hosts: Set<string>, loose: boolean): void {
  const [literal] = /\[[0-9a-f:.%]+\]/i.exec(authority) ?? [];
  if (literal !== undefined) hosts.add(normaliseHost(literal) ?? literal);
  const pieces = decodePercents(authority)
    .split(/[^\p{L}\p{N}\p{M}._-]+/u)
    .map((piece) => trimPiece(piece))
    .filter((piece) => piece !== "");
  const dotted = pieces.filter((piece) => piece.includes("."));
  const [first] = pieces;
  const named = dotted.length > 0 || first === undefined || loose ? dotted : [first];
  if (literal === undefined || dotted.length > 0)
    for (const piece of named) hosts.add(normaliseHost(piece) ?? printable(piece));
}

function findBareNames(text: string, hosts: Set<string>): void {
  for (const { 0: token, index } of text.matchAll(/[\p{L}\p{N}\p{M}._%-]+/gu)) {
    if (!token.includes(".") || token.length > MOST_AUTHORITY) continue;
    const name = trimPiece(token);
    const labels = name.split(".");
    const after = text.slice(index + token.length, index + token.length + 2);
    const leads = token.endsWith(name) && (/^[/?#\\]/.test(after) || /^:[0-9]/.test(after));
    // The name in an address of mail is no link of its own, unless something follows as in a URL.
    if (text[index - 1] === "@" && !leads) continue;
    const www = /^www$/i.test(labels[0] ?? "");
    if (labels.length < 2 || !(isDomain(labels, leads || www) || (leads && isV4(labels)))) continue;
    if (leads || www || labels.length > 2) hosts.add(normaliseHost(name) ?? printable(name));
  }
}

/** Common ones, beside all of two letters; a bare name in another one is found only with a path. */
const TOP_LEVEL =
  /^(?:com|net|org|edu|gov|mil|int|info|biz|name|pro|mobi|app|dev|page|web|xyz|top|site|online|store|shop|club|live|tech|cloud|space|fun|link|click|icu|vip|win|bid|loan|men|work|world|today|life|email|digital|network|systems|services|solutions|agency|media|news|blog|wiki|chat|social|host|hosting|website|press|zone|zip|mov|run|sh|lol|art|ink|pics|photos|video|games|game|bet|casino|money|finance|capital|fund|market|trade|global|group|team|center|support|help|software|computer|domains|monster|quest|rest|bar|buzz|cam|cfd|sbs|cyou|beauty|hair|makeup|mom|pw|asia|cat|jobs|tel|travel|onion|arpa|aero|coop|museum|post)$/i;

/** @param sure whether it is taken for a link whatever its top-level domain. */
function isDomain(labels: readonly string[], sure: boolean): boolean {
  const last = labels.at(-1) ?? "";
  if (!labels.every((label) => label !== "" && label.length <= 63)) return false;
  if (/^xn--[a-z0-9-]+$/i.test(last)) return true;
  if (!/^[\p{L}\p{M}]{2,}$/u.test(last)) return false;
  return sure || last.length === 2 || !/^[a-z]+$/i.test(last) || TOP_LEVEL.test(last);
}

function isV4(labels: readonly string[]): boolean {
  return labels.length === 4 && labels.every((label) => /^[0-9]{1,3}$/.test(label));
}

function trimPiece(piece: string): string {
  return piece.replaceAll(/^[._%-]+|[._%-]+$/g, "");
}

/** As a browser would dial it: IDNA, percent-encoding, odd spellings of IPv4. */
function normaliseHost(name: string): string | undefined {
  try {
    return new URL(`http://${name}/`).hostname.replace(/\.$/, "");
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, "?")
    .slice(0, 253);
}
