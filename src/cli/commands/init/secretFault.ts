import type { ServiceEntry } from "../../../catalogue/index.ts";

/** What the services themselves say their tokens look like; only where a wrong one can't be right. */
const SHAPES: Readonly<Record<string, { readonly shape: RegExp; readonly looks: string }>> = {
  // https://core.telegram.org/bots/api#authorizing-your-bot
  telegram: {
    shape: /^[0-9]{5,16}:[A-Za-z0-9_-]{30,64}$/,
    looks: "as @BotFather gives it: digits, a colon, and 35 letters, digits, _ or -",
  },
  // https://docs.discord.com/developers/reference#authentication
  discord: {
    shape: /^[A-Za-z0-9_-]{18,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{20,}$/,
    looks: "three parts with dots between them",
  },
  // model.NewId() of the server
  mattermost: { shape: /^[a-z0-9]{26}$/, looks: "26 lower-case letters and digits" },
};

/**
 * What stands for the end of a line within something pasted (see PromptInput): of private use, so that
 * no key has it, and nothing that readline takes for the end of a line, as it does U+2028.
 */
export const LINE_END = "\ue00a";

/**
 * Why a value can't be the credential of a service, or undefined. Never says what it was.
 *
 * @param text without the line end that files and pastes have behind it.
 */
export function secretFault(
  { name, title, login, credential }: ServiceEntry,
  text: string,
): string | undefined {
  if (text.trim() === "") return "that is empty";
  if (/[\r\n\ue00a]/u.test(text)) return "that has several lines, and a key has one";
  if (/\p{Cc}|\ufffd/u.test(text)) return "that has characters in it that nobody can type";
  if (text !== text.trim()) return "that begins or ends with a blank";
  const known = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (known !== undefined && !known.shape.test(text))
    return `that is no token of ${title}; one looks like this: ${known.looks}`;
  // Passwords may be anything; what stands in headers and paths is visible ASCII (RFC 9110, 5.5).
  const password = login !== undefined || credential.every(({ basic }) => basic !== undefined);
  if (!password && !/^[\x21-\x7e]+$/.test(text))
    return "that has blanks or letters in it that no key has";
  return undefined;
}
