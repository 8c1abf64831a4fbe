/** Why there is no page. `page-refused`: the gate refused the document, whose address is the message. */
export class PageError extends Error {
  readonly code:
    "page-refused" | "no-page" | "no-browser" | "download" | "timeout" | "page-crashed";

  constructor(code: PageError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
