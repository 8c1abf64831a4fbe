/** A number with its noun: `1 secret`, `2 secrets`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
