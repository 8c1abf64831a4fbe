import type { EntryOperation } from "./EntryCommand.ts";
import type { ServiceEntry } from "./ServiceEntry.ts";

const CALENDAR = "www.googleapis.com";
const DRIVE = "www.googleapis.com";
const GMAIL = "gmail.googleapis.com";
const SHEETS = "sheets.googleapis.com";
const TASKS = "tasks.googleapis.com";

const pageSize = { type: "integer", about: "how many at once", min: 1, max: 250 } as const;
const pageToken = { type: "string", about: "nextPageToken of the answer before" } as const;
const calendarId = {
  type: "string",
  required: true,
  about: "the calendar's id; \"primary\" is the account's own",
} as const;

const OPERATIONS: Readonly<Record<string, EntryOperation>> = {
  "calendar.list": {
    about: "the calendars there are",
    input: { pageToken },
    call: "GET /calendar/v3/users/me/calendarList",
    host: CALENDAR,
    query: { pageToken: "{pageToken}" },
  },
  "calendar.events": {
    about: "events of a calendar, by time",
    input: {
      calendarId,
      timeMin: { type: "string", about: "from then on, as 2026-03-01T00:00:00Z" },
      timeMax: { type: "string", about: "until then" },
      q: { type: "string", about: "words to look for" },
      maxResults: pageSize,
      pageToken,
    },
    call: "GET /calendar/v3/calendars/{calendarId}/events",
    host: CALENDAR,
    query: {
      timeMin: "{timeMin}",
      timeMax: "{timeMax}",
      q: "{q}",
      maxResults: "{maxResults}",
      pageToken: "{pageToken}",
      singleEvents: "true",
      orderBy: "startTime",
    },
  },
  "calendar.create": {
    about: "make an event",
    input: {
      calendarId,
      event: {
        type: "object",
        required: true,
        about: 'as {"summary":"…","start":{"dateTime":"…"},"end":{"dateTime":"…"}}',
      },
    },
    call: "POST /calendar/v3/calendars/{calendarId}/events",
    host: CALENDAR,
    body: { input: "event" },
  },
  "gmail.search": {
    about: "ids of messages that fit a search",
    input: {
      q: { type: "string", required: true, about: 'as in Gmail: "from:alice is:unread"' },
      maxResults: pageSize,
      pageToken,
    },
    call: "GET /gmail/v1/users/me/messages",
    host: GMAIL,
    query: { q: "{q}", maxResults: "{maxResults}", pageToken: "{pageToken}" },
  },
  "gmail.read": {
    about: "one message",
    input: {
      id: { type: "string", required: true, about: "its id" },
      format: { type: "string", about: "how much of it", oneOf: ["full", "metadata", "minimal"] },
    },
    call: "GET /gmail/v1/users/me/messages/{id}",
    host: GMAIL,
    query: { format: "{format}" },
  },
  "drive.search": {
    about: "files that fit a search",
    input: {
      q: { type: "string", about: "as \"name contains 'report'\"" },
      pageSize,
      pageToken,
    },
    call: "GET /drive/v3/files",
    host: DRIVE,
    query: { q: "{q}", pageSize: "{pageSize}", pageToken: "{pageToken}" },
  },
  "drive.download": {
    about: "a file's contents, into a file",
    input: { fileId: { type: "string", required: true, about: "its id" } },
    call: "GET /drive/v3/files/{fileId}",
    host: DRIVE,
    query: { alt: "media" },
    answer: "file",
    mostBytes: 256 * 1024 * 1024,
  },
  "sheets.read": {
    about: "the values of a range",
    input: {
      spreadsheetId: { type: "string", required: true, about: "the sheet's id" },
      range: { type: "string", required: true, about: "as Sheet1!A1:C9" },
    },
    call: "GET /v4/spreadsheets/{spreadsheetId}/values/{range}",
    host: SHEETS,
  },
  "sheets.append": {
    about: "add rows after a range",
    input: {
      spreadsheetId: { type: "string", required: true, about: "the sheet's id" },
      range: { type: "string", required: true, about: "as Sheet1!A1:C9" },
      values: { type: "array", required: true, about: 'rows, as [["a",1],["b",2]]' },
    },
    call: "POST /v4/spreadsheets/{spreadsheetId}/values/{range}:append",
    host: SHEETS,
    query: { valueInputOption: "RAW" },
    body: "json",
  },
  "tasks.lists": {
    about: "the lists of tasks there are",
    call: "GET /tasks/v1/users/@me/lists",
    host: TASKS,
  },
  "tasks.list": {
    about: "the tasks of a list",
    input: {
      tasklist: { type: "string", required: true, about: "the list's id" },
      showCompleted: { type: "boolean", about: "also those that are done" },
      pageToken,
    },
    call: "GET /tasks/v1/lists/{tasklist}/tasks",
    host: TASKS,
    query: { showCompleted: "{showCompleted}", pageToken: "{pageToken}" },
  },
  "tasks.create": {
    about: "make a task",
    input: {
      tasklist: { type: "string", required: true, about: "the list's id" },
      title: { type: "string", required: true, about: "what is to be done", min: 1, max: 1024 },
      notes: { type: "string", about: "more about it", max: 8192 },
      due: { type: "string", about: "as 2026-03-01T00:00:00Z" },
    },
    call: "POST /tasks/v1/lists/{tasklist}/tasks",
    host: TASKS,
    body: "json",
  },
};

/**
 * Google's APIs with a token that the broker makes from a service account (docs/minted-credentials.md):
 * what its scopes allow, as far as the rules do. https://developers.google.com/identity/protocols/oauth2/service-account
 * and each API's reference. Reading only, and nothing that hands out access to others: `permissions`, `acl` and
 * what sends mail are for a grant to name.
 */
export const googleApi: ServiceEntry = {
  name: "google-api",
  title: "Google: Gmail, Calendar, Drive, Sheets, Tasks",
  hosts: [CALENDAR, GMAIL, SHEETS, TASKS].map((name) => `https://${name}`),
  credential: [{ header: "authorization", prefix: "Bearer " }],
  phantom: "ya29.c.{base64url:180}",
  variable: "GOOGLE_OAUTH_ACCESS_TOKEN",
  allow: [
    `GET ${CALENDAR}/calendar/v3/users/me/calendarList`,
    `GET ${CALENDAR}/calendar/v3/calendars/*/events`,
    `GET ${CALENDAR}/calendar/v3/calendars/*/events/*`,
    `POST ${CALENDAR}/calendar/v3/freeBusy`,
    `GET ${DRIVE}/drive/v3/files`,
    `GET ${DRIVE}/drive/v3/files/*`,
    `GET ${DRIVE}/drive/v3/files/*/export`,
    `GET ${GMAIL}/gmail/v1/users/me/profile`,
    `GET ${GMAIL}/gmail/v1/users/me/labels`,
    `GET ${GMAIL}/gmail/v1/users/me/messages`,
    `GET ${GMAIL}/gmail/v1/users/me/messages/*`,
    `GET ${GMAIL}/gmail/v1/users/me/messages/*/attachments/*`,
    `GET ${GMAIL}/gmail/v1/users/me/threads`,
    `GET ${GMAIL}/gmail/v1/users/me/threads/*`,
    `GET ${SHEETS}/v4/spreadsheets/*`,
    `GET ${SHEETS}/v4/spreadsheets/*/values/*`,
    `GET ${TASKS}/tasks/v1/users/@me/lists`,
    `GET ${TASKS}/tasks/v1/lists/*/tasks`,
    `GET ${TASKS}/tasks/v1/lists/*/tasks/*`,
  ],
  command: {
    name: "google-api",
    about: "your owner's Google account: mail, calendars, files, sheets and tasks",
    raw: true,
    operations: OPERATIONS,
  },
};
