import type { ServiceEntry } from "./ServiceEntry.ts";

/** What services have in common whose protocol is not HTTP and has a login of its own. */
function login(
  entry: Pick<ServiceEntry, "name" | "title" | "phantom" | "variable"> & {
    readonly login: NonNullable<ServiceEntry["login"]>;
  },
): ServiceEntry {
  return { ...entry, hosts: [], credential: [], allow: [] };
}

/** RFC 9051: LOGIN and AUTHENTICATE PLAIN. The user's name is the client's to say. */
export const imap: ServiceEntry = login({
  name: "imap",
  title: "Mail: reading (IMAP)",
  login: "imap",
  phantom: "{base64url:32}",
  variable: "IMAP_PASSWORD",
});

/** RFC 6409: AUTH PLAIN and LOGIN. The user's name is the client's to say. */
export const smtp: ServiceEntry = login({
  name: "smtp",
  title: "Mail: sending (SMTP)",
  login: "smtp",
  phantom: "{base64url:32}",
  variable: "SMTP_PASSWORD",
});

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP: the password of a role. */
export const postgres: ServiceEntry = login({
  name: "postgres",
  title: "PostgreSQL",
  login: "postgres",
  phantom: "{base64url:32}",
  variable: "PGPASSWORD",
});
