import type { Ask } from "../protocol.ts";

const MOST = 100;
const LONGEST = 4096;

/**
 * What another bot's broker says of calls that wait there. Which bot it is for is known by the socket,
 * whatever is said. @throws TypeError for anything else.
 */
export function readAsks(value: unknown, bot: string): Ask[] {
  const { asks } = value as { readonly asks?: unknown };
  if (!Array.isArray(asks) || asks.length > MOST) throw new TypeError("no asks");
  return asks.map((each) => readAsk(each, bot));
}

function readAsk(value: unknown, bot: string): Ask {
  const said = value as Readonly<Record<string, unknown>>;
  const text = (name: string): string => {
    const found = said[name];
    if (typeof found === "string" && found.length <= LONGEST) return found;
    throw new TypeError(`no ${name}`);
  };
  const perhaps = <K extends string>(name: K): { readonly [key in K]?: string } =>
    said[name] === undefined ? {} : ({ [name]: text(name) } as { readonly [key in K]: string });
  const id = text("id");
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new TypeError("no id");
  return {
    id,
    bot,
    host: text("host"),
    rule: text("rule"),
    since: text("since"),
    until: text("until"),
    ...perhaps("grant"),
    ...perhaps("method"),
    ...perhaps("path"),
    ...perhaps("detail"),
  };
}
