const LONGEST = 512;

/**
 * A request target fit for the record: the query's values left out (they may be private or hold a
 * key), its names kept, anything odd or overlong hidden. Phantoms in it are scrubbed with the whole line, but
 * percent-encoded ones wouldn't be found there, so such paths must not get here unencoded by `hides`.
 */
export function safePath(path: string, query: string, hides: (text: string) => boolean): string {
  const names = query
    .slice(1)
    .split("&")
    .map((pair) => pair.split("=", 1)[0] ?? "")
    .filter((name) => /^[A-Za-z0-9_.[\]$-]{1,64}$/.test(name) && !hides(name));
  const shown = path.includes("%") && hides(path) ? "{hidden}" : path;
  const whole = names.length === 0 ? shown : `${shown}?${names.join("&")}`;
  const printable = whole.replaceAll(/[^\x21-\x7e]/g, "?");
  return printable.length > LONGEST ? `${printable.slice(0, LONGEST)}...` : printable;
}
