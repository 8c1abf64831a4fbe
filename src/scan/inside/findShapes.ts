import { lintSource } from "@secretlint/core";
import { creator, rules } from "@secretlint/secretlint-rule-preset-recommend";
import { OWN_RULES } from "./ownRules.ts";

/** A stretch of text that has the shape of a credential, as [start, end). */
export interface Shape {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Rules that are left out: comments that switch rules off are the bot's to write; a URL with a
 * password, or a Basic header, is an example more often than not.
 */
const LEFT_OUT = new Set(["filter-comments"]);

const PREFIX = "@secretlint/secretlint-rule-";

const CONFIG = {
  rules: [
    {
      id: creator.meta.id,
      rule: creator,
      rules: rules
        .filter(({ meta }) => LEFT_OUT.has(shortName(meta.id)))
        .map(({ meta }) => ({ id: meta.id, disabled: true })),
    },
  ],
};

/**
 * Finds what is shaped like a credential, by secretlint's recommended rules and a few of our own.
 *
 * @param text one character per byte, so that places are those of the bytes.
 * @param path tells some rules what they look at.
 */
export async function findShapes(text: string, path: string): Promise<Shape[]> {
  const { messages } = await lintSource({
    source: { content: text, filePath: path, ext: /\.[^./]*$/.exec(path)?.[0] ?? "", contentType: "text" },
    options: { config: CONFIG, noPhysicFilePath: true },
  });
  return [
    ...messages.map(({ ruleId, range: [start, end] }) => ({ rule: shortName(ruleId), start, end })),
    ...OWN_RULES.flatMap(({ name, pattern }) =>
      [...text.matchAll(pattern)].map((match) => ({
        rule: name,
        start: match.index,
        end: match.index + match[0].length,
      })),
    ),
  ];
}

function shortName(id: string): string {
  return id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id;
}
