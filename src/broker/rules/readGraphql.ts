/** An operation of a GraphQL document. */
export interface GraphqlOperation {
  readonly type: "query" | "mutation" | "subscription";
  /** Empty for one without a name. */
  readonly name: string;
  /** Names of the fields it asks for at its root, aliases and fragments resolved; without `__typename` unless that is all. */
  readonly fields: readonly string[];
}

type Selection =
  | { readonly field: string }
  | { readonly spread: string }
  | { readonly inline: readonly Selection[] };

/** Fragments within fragments, or brackets within brackets. */
const DEEPEST = 200;
/** Characters, and root fields of all operations together: fragments could make many of few. No client writes such. */
const LONGEST = 512 * 1024;
const MOST_FIELDS = 2000;
const LONGEST_NAME = 256;

/**
 * The operations of an executable document (GraphQL specification, September 2025, sections 2.1 to 2.8).
 * `undefined` when it isn't one, or when servers could read it differently: controls or other
 * languages' line ends anywhere, characters outside of ASCII outside of strings and comments, type
 * definitions, a fragment that is missing or stands twice.
 */
export function readGraphql(document: string): GraphqlOperation[] | undefined {
  try {
    return new Parser(document).readDocument();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Unreadable extends Error {}

const CLOSING: Readonly<Record<string, string>> = { "{": "}", "(": ")", "[": "]" };

/**
 * Reads tokens one after the other. Only the shape of definitions and of selections at the root
 * matters; whatever stands in brackets below is skipped, its strings and comments read properly.
 */
class Parser {
  readonly #text: string;
  #at = 0;
  /** The token to be read next; empty at the end. A string or number is `"` or `0`. */
  #token = "";
  readonly #nameOrPunctuator = /[_A-Za-z][_0-9A-Za-z]*|\.\.\.|[!$&():=@[\]{|}]/y;
  readonly #number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.])/y;

  constructor(text: string) {
    if (text.length > LONGEST) throw new Unreadable();
    // oxlint-disable-next-line no-control-regex -- controls are what is looked for
    if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]/.test(text)) throw new Unreadable();
    this.#text = text;
    this.#advance();
  }

  readDocument(): GraphqlOperation[] {
    const operations: { type: string; name: string; selections: readonly Selection[] }[] = [];
    const fragments = new Map<string, readonly Selection[]>();
    while (this.#token !== "") {
      // A description.
      if (this.#token === '"') this.#advance();
      if (this.#token === "{") {
        operations.push({ type: "query", name: "", selections: this.#readSelections(0) });
      } else if (this.#token === "fragment") {
        this.#advance();
        const name = this.#takeName();
        if (name === "on" || fragments.has(name)) throw new Unreadable();
        this.#take("on");
        this.#takeName();
        this.#skipDirectives();
        fragments.set(name, this.#readSelections(0));
      } else {
        const type = this.#takeName();
        const name = isName(this.#token) ? this.#takeName() : "";
        if (this.#token === "(") this.#skipBrackets();
        this.#skipDirectives();
        operations.push({ type, name, selections: this.#readSelections(0) });
      }
    }
    let most = MOST_FIELDS;
    return operations.map(({ type, name, selections }) => {
      if (type !== "query" && type !== "mutation" && type !== "subscription")
        throw new Unreadable();
      const fields = new Set<string>();
      collect(selections, fragments, fields, new Set());
      most -= fields.size;
      if (most < 0) throw new Unreadable();
      if (fields.size > 1) fields.delete("__typename");
      return { type, name, fields: [...fields] };
    });
  }

  #readSelections(depth: number): Selection[] {
    if (depth > DEEPEST) throw new Unreadable();
    this.#take("{");
    const out: Selection[] = [];
    while (this.#token !== "}") {
      if (this.#token === "...") out.push(this.#readSpread(depth));
      else {
        let field = this.#takeName();
        if (this.#token === ":") {
          this.#advance();
          field = this.#takeName();
        }
        if (this.#token === "(") this.#skipBrackets();
        this.#skipDirectives();
        if (this.#token === "{") this.#skipBrackets();
        out.push({ field });
      }
    }
    this.#advance();
    if (out.length === 0) throw new Unreadable();
    return out;
  }

  #readSpread(depth: number): Selection {
    this.#advance();
    if (isName(this.#token) && this.#token !== "on") {
      const spread = this.#takeName();
      this.#skipDirectives();
      return { spread };
    }
    if (this.#token === "on") {
      this.#advance();
      this.#takeName();
    }
    this.#skipDirectives();
    return { inline: this.#readSelections(depth + 1) };
  }

  #skipDirectives(): void {
    while (this.#is("@")) {
      this.#advance();
      this.#takeName();
      if (this.#token === "(") this.#skipBrackets();
    }
  }

  #skipBrackets(): void {
    const open: string[] = [];
    do {
      const closing = CLOSING[this.#token];
      if (closing !== undefined) open.push(closing);
      else if ("})]".includes(this.#token) && open.pop() !== this.#token) throw new Unreadable();
      if (this.#token === "" || open.length > DEEPEST) throw new Unreadable();
      this.#advance();
    } while (open.length > 0);
  }

  /** A method, so that the compiler doesn't take the token for what it was before. */
  #is(token: string): boolean {
    return this.#token === token;
  }

  #take(token: string): void {
    if (this.#token !== token) throw new Unreadable();
    this.#advance();
  }

  #takeName(): string {
    const name = this.#token;
    if (!isName(name) || name.length > LONGEST_NAME) throw new Unreadable();
    this.#advance();
    return name;
  }

  #advance(): void {
    this.#skipIgnored();
    const at = this.#at;
    const first = this.#text[at];
    if (first === undefined) this.#token = "";
    else if (first === '"') {
      this.#at = this.#text.startsWith('"""', at)
        ? this.#endOfBlock(at + 3)
        : this.#endOfString(at);
      this.#token = first;
    } else if (/[-0-9]/.test(first)) {
      if (this.#match(this.#number) === "") throw new Unreadable();
      this.#token = "0";
    } else {
      this.#token = this.#match(this.#nameOrPunctuator);
      if (this.#token === "") throw new Unreadable();
    }
  }

  /** Blanks, commas and comments (section 2.1). */
  #skipIgnored(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === "#") {
        while (!"\n\r".includes(this.#text[this.#at] ?? "\n")) this.#at += 1;
      } else if (char === undefined || !" \t\n\r,".includes(char)) return;
      else this.#at += 1;
    }
  }

  #endOfString(start: number): number {
    let at = start + 1;
    for (;;) {
      const char = this.#text[at];
      if (char === undefined || char === "\n" || char === "\r") throw new Unreadable();
      if (char === '"') return at + 1;
      if (char !== "\\") at += 1;
      else {
        const [escape] = ESCAPE.exec(this.#text.slice(at, at + LONGEST_ESCAPE)) ?? [];
        if (escape === undefined) throw new Unreadable();
        at += escape.length;
      }
    }
  }

  /** In a block string a backslash means something only before three quotes. */
  #endOfBlock(start: number): number {
    for (let at = start; ;) {
      const quotes = this.#text.indexOf('"""', at);
      if (quotes < 0) throw new Unreadable();
      at = quotes + 3;
      if (quotes === start || this.#text[quotes - 1] !== "\\") return at;
    }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += text.length;
    return text;
  }
}

const ESCAPE = /^\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\})/;
const LONGEST_ESCAPE = 12;

function isName(token: string): boolean {
  return /^[_A-Za-z]/.test(token);
}

function collect(
  selections: readonly Selection[],
  fragments: ReadonlyMap<string, readonly Selection[]>,
  fields: Set<string>,
  seen: Set<string>,
): void {
  for (const selection of selections) {
    if ("field" in selection) fields.add(selection.field);
    else if ("inline" in selection) collect(selection.inline, fragments, fields, seen);
    else if (!seen.has(selection.spread)) {
      seen.add(selection.spread);
      const fragment = fragments.get(selection.spread);
      if (fragment === undefined || seen.size > DEEPEST) throw new Unreadable();
      collect(fragment, fragments, fields, seen);
    }
  }
}
