import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import type { Command } from "./Command.ts";
import { UsageError } from "./UsageError.ts";

export interface ParsedCall {
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

const COMMON: ParseArgsOptionsConfig = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
};

/** @throws UsageError with what is wrong and how it is called right. */
export function parseCall(command: Command, args: readonly string[]): ParsedCall {
  const hint = `type: seawall ${command.name} --help`;
  const options = { ...COMMON, ...command.options };
  let parsed;
  try {
    parsed = parseArgs({
      args: withNegativeNumbers(args, options),
      options,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    // Node's messages are sentences such as: Unknown option '--x'. To specify…
    const [first = ""] = error instanceof Error ? error.message.split(". ") : [];
    throw new UsageError(`${first.charAt(0).toLowerCase()}${first.slice(1)}`, hint);
  }
  const { least, most } = command.words;
  const given = parsed.positionals.length;
  if (parsed.values["help"] !== true && (given < least || given > most)) {
    const what = given < least ? "something is missing" : "too many words";
    throw new UsageError(`${what}: seawall ${command.name} ${command.usage}`.trimEnd(), hint);
  }
  return { words: parsed.positionals, values: parsed.values as ParsedCall["values"] };
}

/**
 * Node takes what begins with a dash for an option that was meant. A number can't be one, and Telegram's groups have
 * negative ones.
 */
function withNegativeNumbers(args: readonly string[], options: ParseArgsOptionsConfig): string[] {
  const joined: string[] = [];
  const end = args.indexOf("--");
  args.forEach((word, index) => {
    const option = joined.at(-1) ?? "";
    const takesOne = options[option.replace(/^--/u, "")]?.type === "string";
    const isBefore = end === -1 || index < end;
    if (isBefore && takesOne && option.startsWith("--") && /^-\d+$/u.test(word))
      joined[joined.length - 1] = `${option}=${word}`;
    else joined.push(word);
  });
  return joined;
}
