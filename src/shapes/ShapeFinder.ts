import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import { OWN_RULES } from "./ownRules.ts";

/** A stretch of text that has the shape of a credential, as [start, end). */
export interface Shape {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
}

type Rule = (typeof rules)[number];
type Source = Parameters<NonNullable<ReturnType<Rule["create"]>["file"]>>[0];

/** Comments that switch rules off are the bot's to write. */
const LEFT_OUT = new Set(["filter-comments"]);
const PREFIX = "@secretlint/secretlint-rule-";

/**
 * Finds what is shaped like a credential, by secretlint's recommended rules and a few of our own.
 * The rules are called without secretlint's engine: its profiler keeps something of every text
 * (measured with 13.0.7: 1 GB after 28,000 files), and its messages would hold what was found.
 */
export class ShapeFinder {
  readonly #rules: readonly ((source: Source) => unknown)[];
  #found: Shape[] = [];

  constructor() {
    this.#rules = rules
      .filter(({ meta }) => !LEFT_OUT.has(shortName(meta.id)))
      .flatMap((rule) => {
        const name = shortName(rule.meta.id);
        const made = this.#create(rule, name);
        return made.file === undefined ? [] : [(source: Source) => made.file?.(source)];
      });
  }

  /**
   * @param text one character per byte, so that places are those of the bytes.
   * @param path tells some rules what they look at.
   */
  async find(text: string, path: string): Promise<Shape[]> {
    this.#found = OWN_RULES.flatMap(({ name, pattern }) =>
      [...text.matchAll(pattern)].map(({ 0: { length }, index }) => ({
        rule: name,
        start: index,
        end: index + length,
      })),
    );
    const ext = /\.[^./]*$/.exec(path)?.[0] ?? "";
    const source = { content: text, filePath: path, ext, contentType: "text", hasBOM: false };
    for (const rule of this.#rules) {
      try {
        await rule(source as Source);
      } catch {
        // One that stumbles over a text (as over a .p12 that isn't there) must not keep the others from it.
      }
    }
    return this.#found;
  }

  #create(rule: Rule, name: string): ReturnType<Rule["create"]> {
    const context = {
      sharedOptions: {},
      ignore: () => undefined,
      report: ({ range: [start, end] }: { readonly range: readonly [number, number] }) => {
        this.#found.push({ rule: name, start, end });
      },
      createTranslator: () => (messageId: string) => ({ message: "", messageId }),
    };
    return rule.create(context as unknown as Parameters<Rule["create"]>[0], {});
  }
}

function shortName(id: string): string {
  return id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id;
}
