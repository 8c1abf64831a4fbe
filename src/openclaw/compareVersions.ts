/** Orders versions, 2026.9.10 after 2026.9.9. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
