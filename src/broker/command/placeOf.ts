/** Where a URL that an agent wrote leads, as the record has it: `name:port`. */
export function placeOf(url: unknown): string | undefined {
  if (typeof url !== "string" || !URL.canParse(url)) return undefined;
  const { hostname, port, protocol } = new URL(url);
  if (hostname === "") return undefined;
  return `${hostname.slice(0, 253)}:${port === "" ? (protocol === "http:" ? 80 : 443) : port}`;
}
