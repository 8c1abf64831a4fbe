import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * Anna's Archive. Searching needs no key; `/dyn/api/fast_download.json` takes a member's key in the query and answers
 * with the address of the file, which the broker fetches itself: only from public addresses, and never more than the
 * bound. Its domain changes; `url` says where it is.
 */
export const annasArchive: ServiceEntry = {
  name: "annas-archive",
  title: "Anna's Archive",
  hosts: ["https://annas-archive.org"],
  ownHost: true,
  credential: [{ query: "key" }],
  phantom: "{alphanumeric:28}",
  variable: "ANNAS_ARCHIVE_KEY",
  allow: ["GET /dyn/api/fast_download.json"],
  anonymous: ["GET /search"],
  command: {
    name: "annas-archive",
    about: "find books and papers, and download them into the workspace",
    operations: {
      search: {
        about: "what there is, as JSON",
        input: {
          q: { type: "string", required: true, about: "title, author or ISBN", min: 1, max: 300 },
          ext: {
            type: "string",
            about: "file type",
            oneOf: ["pdf", "epub", "mobi", "azw3", "cbz", "djvu", "txt"],
          },
          lang: { type: "string", about: "language, as en", min: 2, max: 5 },
          page: { type: "integer", about: "which page, from 1", min: 1, max: 50 },
        },
        handler: "annas-archive",
      },
      download: {
        about: "a file, by the md5 that search gave (use --output FILE)",
        input: {
          md5: { type: "string", required: true, about: "32 hexadecimal digits", min: 32, max: 32 },
        },
        handler: "annas-archive",
      },
    },
  },
};
