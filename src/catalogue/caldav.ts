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
};
