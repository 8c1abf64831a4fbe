/** JSON5 on one line, with as few quotes as people write. */
export function writeJson5(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeJson5).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, child]) => `${writeKey(key)}: ${writeJson5(child)}`,
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

/** A key as it stands in JSON5: quoted only where it must be. */
export function writeKey(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}
