import type { EntryInput } from "./EntryCommand.ts";
import type { ServiceEntry } from "./ServiceEntry.ts";

const url: EntryInput = {
  type: "string",
  required: true,
  about: 'address of the page, as "https://example.org/article"',
  min: 1,
  max: 8192,
};
const wait: EntryInput = {
  type: "string",
  about: "until it has loaded (load), or has also gone quiet (idle, the default)",
  oneOf: ["load", "idle"],
};

/**
 * Pages as a browser shows them, read by a Chromium of the bot's own in a wall of its own. A grant's
 * `allowHosts` says where pages and everything on them may come from; docs/browser-fetch.md has the rest.
 */
export const browserFetch: ServiceEntry = {
  name: "browser-fetch",
  title: "Web pages, rendered by a browser and read as Markdown",
  hosts: [],
  credential: [],
  phantom: "",
  allow: [],
  program: {
    options: ["allowHosts", "seconds", "pageBytes"],
    needs: ["allowHosts"],
    dial: ["networks", "ca"],
  },
  command: {
    name: "browser-fetch",
    about: "open a web page in a browser, scripts and all, and read it",
    operations: {
      fetch: {
        about: "the page's main content as Markdown, with its title, as JSON",
        input: {
          url,
          links: { type: "boolean", about: "also give the page's links" },
          characters: {
            type: "integer",
            about: "how much Markdown at most; 100000 unless told",
            min: 1,
            max: 1_000_000,
          },
          wait,
        },
        handler: "browser-fetch",
      },
      screenshot: {
        about: "a picture of the page as PNG; use it with --output FILE",
        input: {
          url,
          whole: { type: "boolean", about: "all of the page and not only its top" },
          width: { type: "integer", about: "1280 unless told", min: 100, max: 3840 },
          height: { type: "integer", about: "800 unless told", min: 100, max: 2160 },
          wait,
        },
        handler: "browser-fetch",
      },
    },
  },
};
