const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** Bytes of a number, or of text such as `512M` (1024 and its powers); undefined for anything else. */
export function readSize(value: unknown): number | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,12})([KMGT]?)$/i.exec(String(value)) ?? [];
  const bytes = digits === "" ? 0 : Number(digits) * (UNITS[unit.toUpperCase()] ?? 0);
  const right = typeof value === "string" || typeof value === "number";
  return right && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
