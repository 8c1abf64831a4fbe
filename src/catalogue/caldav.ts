import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * RFC 4791, and RFC 6352 for contacts: Nextcloud, Radicale, Baïkal, Fastmail and others, by a password in Basic
 * authentication (an app password, where there are such). The user's name is the client's to say. Reading only: a
 * grant that may write says `allow: ["...", "PUT /…/calendars/NAME/*", "DELETE /…"]`.
 */
export const caldav: ServiceEntry = {
  name: "caldav",
  title: "CalDAV and CardDAV: calendars and contacts",
  hosts: [],
  ownHost: true,
  credential: [{ basic: "password" }],
  phantom: "{base64url:32}",
  variable: "CALDAV_PASSWORD",
  allow: ["OPTIONS /**", "PROPFIND /**", "REPORT /**", "GET /**"],
  challenge: 'Basic realm="CalDAV"',
  headers: {
    "Content-Type": { about: "of what --input sends, as application/xml or text/calendar" },
    Depth: { about: "how deep PROPFIND and REPORT look: 0 or 1" },
    "If-Match": { about: "changes only what still has this ETag" },
    "If-None-Match": { about: "* makes only what isn't there yet" },
  },
};
