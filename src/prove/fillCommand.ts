import { ProveError } from "./ProveError.ts";

const HOLE = "{}";

/**
 * Splits a command's text into words the way shells do with quotes and backslashes, and nothing
 * else of theirs: no variables, no patterns. A word `{}` becomes all the words of `filling`; in quotes
 * or inside another word it becomes them quoted, for tools that take a command as one text.
 *
 * @throws ProveError `bad-command`
 */
export function fillCommand(command: string, filling: readonly string[]): string[] {
  const words = splitWords(command);
  if (!words.some(({ text }) => text.includes(HOLE)))
    throw new ProveError("bad-command", "the command has no {} for the attacks", {
      hint: "write {} where they go: seawall prove --command 'bwrap --ro-bind / / --unshare-all {}'",
    });
  const quoted = filling.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return words.flatMap(({ text, bare }) =>
    bare && text === HOLE ? filling : [text.replaceAll(HOLE, () => quoted)],
  );
}

interface Word {
  readonly text: string;
  /** Without a quote or backslash. */
  readonly bare: boolean;
}

function splitWords(command: string): Word[] {
  const words: Word[] = [];
  let word: string | undefined;
  let bare = true;
  let quote: string | undefined;
  for (let at = 0; at < command.length; at++) {
    const letter = command.charAt(at);
    if (quote !== undefined) {
      if (letter === quote) quote = undefined;
      else if (letter === "\\" && quote === '"' && /["\\$`]/.test(command.charAt(at + 1)))
        word = (word ?? "") + command.charAt(++at);
      else word = (word ?? "") + letter;
    } else if (letter === "'" || letter === '"') {
      quote = letter;
      bare = false;
      word ??= "";
    } else if (letter === "\\") {
      if (at + 1 === command.length) throw unfinished("backslash");
      bare = false;
      word = (word ?? "") + command.charAt(++at);
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push({ text: word, bare });
      word = undefined;
      bare = true;
    } else {
      word = (word ?? "") + letter;
    }
  }
  if (quote !== undefined) throw unfinished("quote");
  if (word !== undefined) words.push({ text: word, bare });
  return words;
}

function unfinished(what: string): ProveError {
  return new ProveError("bad-command", `a ${what} in the command is never finished`, {
    hint: "quote the whole of it for your shell with single quotes",
  });
}
