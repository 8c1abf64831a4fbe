/**
 * Whether some server takes one name for the other: by case, surrounding blanks, PHP's rewriting of
 * blanks and dots, an array's brackets, or an end at a NUL. A field that is only alike to the place
 * of a credential could override it there.
 */
export function isAlike(name: string, wanted: string): boolean {
  if (name === wanted) return true;
  // Most names differ in their first letter, and a body may have very many.
  const first = name.charCodeAt(0);
  if (first > 0x40 && first < 0x7f && (first | 0x20) !== (wanted.charCodeAt(0) | 0x20))
    return false;
  return reduce(name) === reduce(wanted);
}

function reduce(name: string): string {
  return (name.split(/[[\0]/, 1)[0] ?? "")
    .normalize("NFKC")
    .trim()
    .toLowerCase()
    .replaceAll(/[ .]/g, "_");
}
