import { TargetError } from "../TargetError.ts";

/** Lines of one section; a directive may come several times. */
export type Directives = readonly (readonly [name: string, value: string])[];

export type Section = readonly [
  name: "Unit" | "Socket" | "Service" | "Slice" | "Timer" | "Mount" | "Install",
  Directives,
];

/**
 * Prints a unit (systemd.syntax(7)). Values are printed as they are: what comes from a declaration
 * goes through `plainWord` first.
 */
export function unitFile(sections: readonly Section[]): string {
  const text = sections.map(([name, lines]) => {
    const body = lines.map(([key, value]) => `${key}=${value}\n`).join("");
    return `[${name}]\n${body}`;
  });
  return `# Written by Seawall; changes are lost with the next switch.\n${text.join("\n")}`;
}

/**
 * A word that means itself in every directive that is used here: no space, quote, colon, backslash,
 * dollar or percent sign, which some of them give a meaning.
 *
 * @throws TargetError `unprintable`
 */
export function plainWord(word: string): string {
  if (/^[A-Za-z0-9_/@+.,=~-]+$/.test(word)) return word;
  throw new TargetError("unprintable", `"${shown(word)}" can't stand in a unit`, {
    hint: "use a path of letters, digits and / . _ + - , = @ ~",
  });
}

/** A value for a description: the same without anything that means something. */
export function plainText(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9 ,.:;()/-]/g, "");
}

function shown(word: string): string {
  return word.replaceAll(/[^\u0020-\u007e]/g, "?").slice(0, 80);
}

/** `Environment=`, sorted, each on a line of its own. @throws TargetError `unprintable` */
export function environment(variables: Readonly<Record<string, string>>): Directives {
  return Object.entries(variables)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      if (/^[A-Za-z0-9_/@+.,=~:[\]-]*$/.test(value))
        return ["Environment", `${name}=${value}`] as const;
      throw new TargetError("unprintable", `the value of ${name} can't stand in a unit`, {
        hint: "use letters, digits and / : . _ + - , = @ ~",
      });
    });
}
